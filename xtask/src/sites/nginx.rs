//! nginx as a server of the sites: its configuration, its start, its end.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use super::apt::Apt;
use super::table::Site;
use crate::{failure, process};

/// How this program names itself when it looks whether a site answers; such requests are not logged.
const PROBE: &str = "nephila-xtask-probe";

/// How often the state of a server is looked at, and how many times before giving up: 10 s.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: usize = 500;

/// A site on a port, with the directory that it is served from.
pub(crate) struct Served {
    pub(crate) site: &'static Site,
    pub(crate) port: u16,
    pub(crate) root: PathBuf,
}

/// nginx for one port base: everything that it writes is in one directory.
pub(crate) struct Server {
    directory: PathBuf,
}

/// The program and the table of content types that belongs to it.
pub(crate) struct Program {
    path: PathBuf,
    types: PathBuf,
}

impl Program {
    /// The one installed, else Debian's, unpacked beside the sites: no root is needed and no
    /// service starts. Fails as unavailable where neither can be had or it does not run.
    pub(crate) fn find(data: &Path, apt: &mut Apt<'_>) -> anyhow::Result<Self> {
        let types = PathBuf::from("/etc/nginx/mime.types");
        let installed = process::find_program("nginx").filter(|_| types.is_file());
        let program = match installed {
            Some(path) => Self { path, types },
            None => {
                apt.provide("nginx", None)?;
                apt.provide("nginx-common", None)?;
                let types = data.join("nginx-common/etc/nginx/mime.types");
                Self {
                    path: data.join("nginx/usr/sbin/nginx"),
                    types,
                }
            }
        };
        let mut version = Command::new(&program.path);
        process::output(version.arg("-v")).map_err(|error| {
            failure::unavailable(format!(
                "nginx does not run: {error:#}: `apt-get install nginx`"
            ))
        })?;
        Ok(program)
    }
}

impl Server {
    pub(crate) fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Serves exactly these sites. A server that does so already is left alone; one that serves
    /// something else is replaced, and its logs are removed. Every start page has answered with
    /// 200 when this returns.
    pub(crate) fn start(&self, program: &Program, sites: &[Served]) -> anyhow::Result<()> {
        let wanted = self.configuration(program, sites);
        let path = self.directory.join("nginx.conf");
        let present = std::fs::read_to_string(&path).unwrap_or_default();
        if self.pid().is_none() || present != wanted {
            self.stop()?;
            self.clear()?;
            std::fs::write(&path, &wanted)
                .with_context(|| format!("writing {}", path.display()))?;
            self.launch(program)?;
        }
        for served in sites {
            answers(served)?;
        }
        Ok(())
    }

    fn launch(&self, program: &Program) -> anyhow::Result<()> {
        let mut command = Command::new(&program.path);
        command
            .arg("-p")
            .arg(&self.directory)
            .arg("-c")
            .arg(self.directory.join("nginx.conf"));
        command.arg("-e").arg(self.directory.join("error.log"));
        process::output(&mut command).context(
            "nginx does not start; if a port is in use, choose others with `--port-base N`",
        )?;
        // The parent leaves before the child has written its pid.
        let started = self.wait_until(|server| server.pid().is_some());
        started.then_some(()).with_context(|| {
            format!(
                "nginx started and wrote no pid: see {}/error.log",
                self.directory.display()
            )
        })
    }

    /// Ends the server by the pid in its own file. False when none was running.
    pub(crate) fn stop(&self) -> anyhow::Result<bool> {
        let Some(pid) = self.pid() else {
            return Ok(false);
        };
        process::output(Command::new("sh").args(["-c", &format!("kill -TERM {pid}")]))?;
        if !self.wait_until(|server| server.pid().is_none()) {
            bail!(
                "nginx (pid {pid}, {}) did not end within 10 s",
                self.directory.display()
            );
        }
        Ok(true)
    }

    /// The pid of the server that runs from this directory. A pid file left by one that died, whose
    /// number another program may have by now, counts as none.
    pub(crate) fn pid(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.directory.join("nginx.pid")).ok()?;
        let pid: u32 = text.trim().parse().ok()?;
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let own = format!(" {} ", self.directory.display());
        (line.contains("nginx") && line.contains(&own)).then_some(pid)
    }

    /// The access log of a site: one line a request, as `cargo xtask help sites` tells.
    pub(crate) fn access_log(&self, site: &Site) -> PathBuf {
        self.directory.join(format!("{}.access.log", site.package))
    }

    fn wait_until(&self, reached: impl Fn(&Self) -> bool) -> bool {
        for _ in 0..LOOKS {
            if reached(self) {
                return true;
            }
            std::thread::sleep(LOOK);
        }
        false
    }

    fn clear(&self) -> anyhow::Result<()> {
        if self.directory.exists() {
            std::fs::remove_dir_all(&self.directory)
                .with_context(|| format!("removing {}", self.directory.display()))?;
        }
        std::fs::create_dir_all(&self.directory)
            .with_context(|| format!("making {}", self.directory.display()))
    }

    /// The server blocks of ../shared/corpora/sites/nginx.conf, with paths of our own.
    fn configuration(&self, program: &Program, sites: &[Served]) -> String {
        // Workers of a master that is root are `nobody` otherwise, who may not read under /root.
        let user = if process::is_root() {
            "user root;\n"
        } else {
            ""
        };
        let mut text = format!(
            "{user}worker_processes 1;\ndaemon on;\npid nginx.pid;\nerror_log error.log;\n\
             events {{ worker_connections 4096; }}\nhttp {{\n  include \"{}\";\n",
            program.types.display()
        );
        text.push_str(HTTP);
        for served in sites {
            text.push_str(&format!(
                "  server {{\n    listen 127.0.0.1:{};\n    root \"{}\";\n    \
                 access_log \"{}\" tabs if=$counted;\n  }}\n",
                served.port,
                served.root.display(),
                self.access_log(served.site).display(),
            ));
        }
        text.push_str("}\n");
        text.replace("PROBE", PROBE)
    }
}

/// The same for every site. Each temporary path is named, as its default is outside the directory.
const HTTP: &str = r#"  default_type application/octet-stream;
  sendfile on;
  keepalive_requests 100000;
  autoindex off;
  index index.html;
  client_body_temp_path t1;
  proxy_temp_path t2;
  fastcgi_temp_path t3;
  uwsgi_temp_path t4;
  scgi_temp_path t5;
  map $http_user_agent $counted { default 1; PROBE 0; }
  log_format tabs "$http_host\t$request\t$status\t$http_referer\t$http_user_agent\t$msec\t$connection\t$body_bytes_sent";
"#;

/// An error unless the start page of the site answers with 200.
fn answers(served: &Served) -> anyhow::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, served.port));
    let what = format!("http://{address}{}", served.site.start);
    let line = status_line(address, served.site.start).with_context(|| format!("asking {what}"))?;
    if !line.starts_with("HTTP/1.1 200 ") {
        bail!(
            "{what} answers `{line}`, not 200: is {} whole?",
            served.root.display()
        );
    }
    Ok(())
}

fn status_line(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    let patience = Duration::from_secs(10);
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let head = format!("Host: {address}\r\nUser-Agent: {PROBE}\r\nConnection: close\r\n\r\n");
    stream.write_all(format!("HEAD {path} HTTP/1.1\r\n{head}").as_bytes())?;
    let mut answer = Vec::new();
    stream.take(16_384).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer)
        .lines()
        .next()
        .unwrap_or_default()
        .to_string())
}

/// A port base whose ports for these offsets are all free now, below the range that the system
/// takes ports from by itself.
pub(crate) fn free_base(offsets: &[u16]) -> anyhow::Result<u16> {
    let free = |base: u16| offsets.iter().all(|offset| is_free(base + offset));
    let found = (20_000..32_000).step_by(20).find(|base| free(*base));
    found.context("no free ports between 20000 and 32000")
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::table::SITES;
    use super::*;

    fn configuration() -> String {
        let server = Server::at(PathBuf::from("/data/run-18000"));
        let program = Program {
            path: "/usr/sbin/nginx".into(),
            types: "/etc/nginx/mime.types".into(),
        };
        let served: Vec<Served> = SITES
            .iter()
            .map(|site| Served {
                site,
                port: 18_000 + site.offset,
                root: "/data/x".into(),
            })
            .collect();
        server.configuration(&program, &served)
    }

    #[test]
    fn every_site_has_a_server_block_on_loopback_with_a_log_of_its_own() {
        let text = configuration();
        assert_eq!(text.matches("listen 127.0.0.1:180").count(), 10);
        assert_eq!(text.matches("listen ").count(), 10);
        assert!(text.contains("\"/data/run-18000/debian-policy.access.log\" tabs if=$counted;"));
        assert_eq!(text.matches('{').count(), text.matches('}').count());
    }

    #[test]
    fn the_probe_is_not_counted() {
        assert!(configuration().contains(&format!("{{ default 1; {PROBE} 0; }}")));
    }

    #[test]
    fn a_pid_file_that_names_another_program_counts_as_none() {
        let directory = std::env::temp_dir().join(format!("nephila-pid-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("nginx.pid"), std::process::id().to_string()).unwrap();
        let server = Server::at(directory.clone());
        assert_eq!(server.pid(), None);
        assert!(!server.stop().unwrap());
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_taken_port_is_not_free() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_free(taken.local_addr().unwrap().port()));
    }
}
