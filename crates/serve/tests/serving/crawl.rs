//! A crawl of a simulated web that is shown while it runs.

use std::thread::JoinHandle;
use std::time::Duration;

use nephila::{Control, Crawl, CrawlDirectory, LiveCrawl, Settings, Summary};
use nephila_serve::{ServeOptions, Server, Watched};
use nephila_sim::{LogMode, Outcomes, ServeOptions as WebOptions, Server as WebServer, Web};

/// A web that is crawled, a page that shows it, and the thread that crawls.
pub(crate) struct Shown {
    /// None when it has ended.
    running: Option<Server>,
    pub(crate) control: Control,
    pub(crate) live: LiveCrawl,
    pub(crate) directory: CrawlDirectory,
    crawling: Option<JoinHandle<Summary>>,
    _web: WebServer,
    _folder: tempfile::TempDir,
}

/// A web of so many pages, each of which takes its time, some of which cannot be had.
fn web(pages: u64) -> Web {
    Web {
        domain: "localhost".to_owned(),
        outcomes: Outcomes {
            not_found: 0.05,
            server_error: 0.01,
            ..Outcomes::default()
        },
        seed_hosts: 6,
        ..Web::plain(7, 6, pages)
    }
    .with_latency_ms(60.0)
}

impl Shown {
    /// Crawls so many pages. With a token whoever asks has to know it.
    pub(crate) fn start(pages: u64, token: Option<&str>) -> Shown {
        let options = WebOptions {
            log: LogMode::Off,
            ..WebOptions::default()
        };
        let web = WebServer::start_in_thread(web(pages), options).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let port = web.addr().port();
        let resolve = format!("*:{port}:127.0.0.1:{port}");
        let mut settings = Settings::new();
        for (name, written) in [
            ("scope", "any"),
            ("resolve", resolve.as_str()),
            ("allow-private", "true"),
            ("concurrency", "8"),
            ("retries", "0"),
            ("delay", "0"),
        ] {
            settings = settings.with(name, written).unwrap();
        }
        let crawl =
            Crawl::create(folder.path().join("crawl"), &web.web().seeds(), &settings).unwrap();
        let live = crawl.live();
        let options = ServeOptions {
            address: "127.0.0.1:0".parse().unwrap(),
            token: token.map(str::to_owned),
            hosts: vec!["crawl.example".to_owned()],
        };
        Shown {
            running: Some(Server::start(Watched::Live(Box::new(crawl.live())), &options).unwrap()),
            control: crawl.control(),
            directory: crawl.directory().clone(),
            live,
            crawling: Some(std::thread::spawn(move || crawl.run().unwrap())),
            _web: web,
            _folder: folder,
        }
    }

    pub(crate) fn server(&self) -> &Server {
        self.running.as_ref().unwrap()
    }

    /// A moment, or until the crawl has ended: between two looks at what another thread does.
    pub(crate) fn pause_looking(&self) {
        self.control.wait_for_end(Duration::from_millis(20));
    }

    /// Ends the server as the command does.
    pub(crate) fn finish_server(&mut self) {
        self.running.take().unwrap().finish();
    }

    /// Waits for the crawl's own end.
    pub(crate) fn ended(&mut self) -> Summary {
        let crawling = self.crawling.take().unwrap();
        crawling.join().unwrap()
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.control.stop();
        if let Some(crawling) = self.crawling.take() {
            let _ = crawling.join();
        }
    }
}
