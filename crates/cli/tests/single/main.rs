//! The verbs for one URL, by the real command against scripted servers on loopback.

#[cfg(test)]
mod command;
#[cfg(test)]
mod fetch;
#[cfg(test)]
mod robots;
#[cfg(test)]
mod server;
#[cfg(test)]
mod sitemap;
