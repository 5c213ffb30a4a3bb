//! Exchanges over real sockets on loopback, with servers that do exactly what a test says.

#[cfg(test)]
mod addresses;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod framing;
#[cfg(test)]
mod http2;
#[cfg(test)]
mod keep_alive;
#[cfg(test)]
mod names;
#[cfg(test)]
mod plain;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod room;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod sizes;
#[cfg(test)]
mod times;
#[cfg(test)]
mod tls;
