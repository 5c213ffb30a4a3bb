//! Drives Debian's chromium, headless, over the pipe of its DevTools protocol
//! (<https://chromedevtools.github.io/devtools-protocol/>): messages are JSON with a zero byte behind each.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

/// How long an answer may take on a busy machine; a page that never comes to what is waited for fails then.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page, ended when it is dropped.
pub(crate) struct Chromium {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    session: String,
    number: u64,
    /// What was written to the console as an error or a warning, and what was thrown.
    complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// Starts it; `None`, and a line that says so, where there is no chromium.
    pub(crate) fn start() -> Option<Chromium> {
        let profile = tempfile::tempdir().unwrap();
        let mut child = spawn(profile.path());
        let messages = read_messages(child.stdout.take().unwrap());
        let mut chromium = Chromium {
            input: child.stdin.take().unwrap(),
            child,
            messages,
            session: String::new(),
            number: 0,
            complaints: Vec::new(),
            _profile: profile,
        };
        let Some(target) =
            chromium.try_call("Target.createTarget", json!({ "url": "about:blank" }))
        else {
            assert_eq!(
                chromium.child.wait().unwrap().code(),
                Some(99),
                "chromium did not start"
            );
            eprintln!("skipped: chromium is not there: the pages were not looked at");
            return None;
        };
        let attached = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = chromium.call("Target.attachToTarget", attached);
        attached["sessionId"]
            .as_str()
            .unwrap()
            .clone_into(&mut chromium.session);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            chromium.call(&format!("{domain}.enable"), json!({}));
        }
        Some(chromium)
    }

    /// Calls a method of the protocol and gives its result.
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        let called = self.try_call(method, parameters);
        called.unwrap_or_else(|| panic!("{method}: chromium has ended, or does not answer"))
    }

    fn try_call(&mut self, method: &str, parameters: Value) -> Option<Value> {
        self.number += 1;
        let mut message = json!({ "id": self.number, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = self.session.clone().into();
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.input.write_all(&bytes).ok()?;
        loop {
            let mut message = self.messages.recv_timeout(PATIENCE).ok()?;
            if message["id"] == self.number {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return Some(message["result"].take());
            }
            self.note(&message);
        }
    }

    /// Keeps what a page says where something is wrong with it.
    fn note(&mut self, event: &Value) {
        let parameters = &event["params"];
        let complaint = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => parameters["exceptionDetails"].to_string(),
            Some("Runtime.consoleAPICalled")
                if parameters["type"] == "error" || parameters["type"] == "warning" =>
            {
                parameters["args"].to_string()
            }
            Some("Log.entryAdded") if parameters["entry"]["level"] == "error" => {
                parameters["entry"].to_string()
            }
            _ => return,
        };
        self.complaints.push(complaint);
    }

    /// What was written to the console as an error or a warning so far.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        // What was said before this answer has come before it.
        self.value("1");
        std::mem::take(&mut self.complaints)
    }

    /// Opens a page and waits until it is loaded.
    pub(crate) fn open(&mut self, url: &str) {
        let opened = self.call("Page.navigate", json!({ "url": url }));
        assert!(opened["errorText"].is_null(), "{url}: {opened}");
        self.wait("document.readyState === 'complete'");
    }

    /// The value of an expression, or of the promise that it is.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let asked =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", asked);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {}",
            answer["exceptionDetails"]
        );
        answer["result"]["value"].take()
    }

    /// Waits until an expression holds: it is looked at whenever the page changes.
    pub(crate) fn wait(&mut self, expression: &str) {
        self.value(&format!(
            "new Promise(function (done) {{
               var watcher = new MutationObserver(look);
               function look() {{ if ({expression}) {{ watcher.disconnect(); done(true); }} }}
               watcher.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});
               addEventListener('load', look);
               look();
             }})"
        ));
    }

    /// Presses the first mouse button in the middle of an element, as a person does.
    pub(crate) fn click(&mut self, selector: &str) {
        let place = self.value(&format!(
            "(function () {{ var of = document.querySelector({selector:?});
               of.scrollIntoView({{ block: 'center', behavior: 'instant' }});
               var box = of.getBoundingClientRect();
               return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let pressed = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", pressed);
        }
    }

    /// Types into an element in place of what it holds.
    pub(crate) fn write(&mut self, selector: &str, text: &str) {
        self.value(&format!(
            "(function () {{ var of = document.querySelector({selector:?}); of.focus(); of.select(); }})()"
        ));
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Presses Enter where the cursor is.
    pub(crate) fn enter(&mut self) {
        for kind in ["keyDown", "keyUp"] {
            let key = json!({ "type": kind, "key": "Enter", "code": "Enter", "text": "\r", "windowsVirtualKeyCode": 13 });
            self.call("Input.dispatchKeyEvent", key);
        }
    }

    /// Shows the page at this width, light or dark.
    pub(crate) fn set_screen(&mut self, width: u32, scheme: &str) {
        let metrics =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", media);
        // Two frames later all is laid out and drawn anew.
        self.value(
            "new Promise(function (done) { requestAnimationFrame(function () { requestAnimationFrame(done); }); })",
        );
    }

    /// Shows the page at two widths, light and dark: nothing of it may stick out at its side. Pictures of the
    /// whole page go to `$NEPHILA_SCREENSHOTS`, where that is set.
    pub(crate) fn look(&mut self, name: &str) {
        for (width, scheme) in [
            (1_280, "light"),
            (1_280, "dark"),
            (390, "light"),
            (390, "dark"),
        ] {
            self.set_screen(width, scheme);
            let widest = self.value("document.documentElement.scrollWidth");
            assert!(
                widest.as_u64().unwrap() <= u64::from(width),
                "{name} at {width} is {widest} wide"
            );
            let ground = self.value("getComputedStyle(document.body).backgroundColor");
            let is_dark = ground.as_str().unwrap().starts_with("rgb(20,");
            assert_eq!(is_dark, scheme == "dark", "{ground}");
            if let Some(folder) = std::env::var_os("NEPHILA_SCREENSHOTS") {
                self.take_pictures(
                    width,
                    &Path::new(&folder).join(format!("{name}-{width}-{scheme}")),
                );
            }
        }
    }

    /// The page from its top, in pieces that a person can look at: the first eight.
    fn take_pictures(&mut self, width: u32, start: &Path) {
        const HEIGHT: u64 = 1_600;
        let all = self.value("document.documentElement.scrollHeight");
        let pieces = all.as_u64().unwrap().div_ceil(HEIGHT).min(8);
        for piece in 0..pieces {
            let height = HEIGHT.min(all.as_u64().unwrap() - piece * HEIGHT);
            let clip = json!({ "x": 0, "y": piece * HEIGHT, "width": width, "height": height, "scale": 1 });
            let asked = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
            let picture = self.call("Page.captureScreenshot", asked);
            let picture =
                base64::engine::general_purpose::STANDARD.decode(picture["data"].as_str().unwrap());
            std::fs::write(format!("{}-{piece}.png", start.display()), picture.unwrap()).unwrap();
        }
    }
}

/// Starts the program; its shell ends with 99 where there is none.
fn spawn(profile: &Path) -> Child {
    // The protocol is spoken on descriptors 3 and 4: the shell makes them of what it was given.
    let script = "command -v chromium >/dev/null || exit 99
        exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";
    Command::new("sh")
        .args(["-c", script, "sh"])
        .args(["--headless", "--no-sandbox", "--remote-debugging-pipe"])
        .args(["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .args(["--hide-scrollbars", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync"])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        .arg(format!("--user-data-dir={}", profile.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Reads messages on a thread of its own, until the browser ends.
fn read_messages(output: ChildStdout) -> Receiver<Value> {
    let (send, messages) = sync_channel(4_096);
    let mut output = BufReader::new(output);
    std::thread::spawn(move || {
        loop {
            let mut message = Vec::new();
            match output.read_until(0, &mut message) {
                Ok(1..) => message.pop(),
                _ => return,
            };
            let message = serde_json::from_slice(&message).unwrap();
            if send.send(message).is_err() {
                return;
            }
        }
    });
    messages
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Its other processes end with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The thread that reads sees the end.
        let _ = self.messages.try_recv();
    }
}
