// Fills the page from what the server tells each second. Whatever comes from the web is put in as text, and
// linked only where it is http or https.
(function () {
  "use strict";

  var EVERY = 1000;
  var WHEN_GONE = 3000;
  var COLOURS = { politeness: "green", slot: "sky", dns: "green", connect: "sky", tls: "purple", first_byte: "blue",
    body: "yellow", cpu_wait: "grey", compute: "vermillion", callback: "orange", sink_wait: "orange", commit: "orange" };
  var WORDS = { reading: "reading the log", running: "running", paused: "paused", stopping: "stopping", ended: "ended",
    broken_off: "broken off", gone: "not reachable", connecting: "connecting" };
  var STOPPED = { done: "done: nothing is left to fetch", max_pages: "stopped at --max-pages",
    max_duration: "stopped at --max-duration", interrupted: "interrupted" };

  var by = "largest";
  var rankings = {};
  var isPaused = false;
  var isOver = false;
  var hasSlots = false;
  var timer = null;
  var ticks = 0;

  function find(id) { return document.getElementById(id); }

  function number(value) {
    if (value === null || value === undefined) return "";
    return value.toLocaleString("en", { maximumSignificantDigits: value < 100 ? 3 : 12, maximumFractionDigits: 1,
      roundingPriority: "lessPrecision" });
  }

  function bytes(value) {
    var units = ["B", "KiB", "MiB", "GiB", "TiB"];
    var at = 0;
    while (value >= 1024 && at < units.length - 1) { value /= 1024; at += 1; }
    return (value < 10 && at > 0 ? value.toFixed(1) : value.toFixed(0)) + " " + units[at];
  }

  function millis(value) {
    if (value >= 10000) return (value / 1000).toFixed(0) + " s";
    if (value >= 1000) return (value / 1000).toFixed(1) + " s";
    if (value >= 10 || value === 0) return value.toFixed(0) + " ms";
    return (value >= 1 ? value.toFixed(1) : value.toFixed(2)) + " ms";
  }

  function span(seconds) {
    var whole = Math.floor(seconds);
    var parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    return parts[0] > 0 ? parts[0] + " h " + parts[1] + " min" : parts[1] > 0 ? parts[1] + " min " + parts[2] + " s"
      : parts[2] + " s";
  }

  function element(name, text, kind) {
    var made = document.createElement(name);
    if (text !== undefined && text !== null) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  // Characters that steer how others are shown are shown as their numbers.
  function plain(text) {
    return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
      function (character) { return "\\u{" + character.charCodeAt(0).toString(16) + "}"; });
  }

  function link(url) {
    var shown = plain(url);
    if (shown !== url || !/^https?:\/\//.test(url)) return element("span", shown);
    var made = element("a", shown);
    made.href = url;
    made.rel = "noopener nofollow noreferrer";
    made.target = "_blank";
    return made;
  }

  // Cells are text, or elements. Those of `numbers` stand at the right.
  function rows(id, lines, numbers) {
    var body = find(id).tBodies[0];
    body.replaceChildren.apply(body, lines.map(function (line) {
      var row = document.createElement("tr");
      line.forEach(function (content, place) {
        var cell = element(place === 0 ? "th" : "td", null, place >= numbers ? "n" : "");
        if (place === 0) cell.scope = "row";
        cell.append(content);
        row.append(cell);
      });
      return row;
    }));
  }

  // Each bar: name, where it begins, how long it is, its colour, and what is written behind it.
  function bars(id, list) {
    var longest = list.reduce(function (most, bar) { return Math.max(most, bar.start + bar.length); }, 0);
    var parts = [];
    list.forEach(function (bar) {
      var track = element("span", null, "track");
      [["gap", bar.start], [bar.colour, bar.length]].forEach(function (part) {
        var piece = element("i", null, part[0]);
        piece.style.width = (longest > 0 ? part[1] / longest * 100 : 0) + "%";
        track.append(piece);
      });
      parts.push(element("span", bar.name, "name"), track, element("span", bar.shown, "n"));
    });
    find(id).replaceChildren.apply(find(id), parts);
  }

  function counted(id, counts, colour) {
    var list = Object.keys(counts).map(function (name) {
      return { name: name, start: 0, length: counts[name], colour: colour, shown: number(counts[name]) };
    });
    list.sort(function (a, b) { return b.length - a.length; });
    bars(id, list);
  }

  function facts(list) {
    var parts = list.filter(function (fact) { return fact[0] !== ""; }).map(function (fact) {
      var part = document.createElement("div");
      part.append(element("dt", fact[1]), element("dd", fact[0]));
      return part;
    });
    find("facts").replaceChildren.apply(find("facts"), parts);
  }

  function standing(of) {
    find("standing").textContent = WORDS[of] || of;
    find("standing").className = "badge " + of;
    document.title = (WORDS[of] || of) + " - crawl";
  }

  function visit(id, of) {
    var list = [];
    var at = 0;
    var waits = [];
    (of ? of.states : []).forEach(function (part) {
      if (!part.has_slot && part.millis > 0) waits.push(part.words + " " + millis(part.millis));
      else if (part.has_slot && part.millis > 0) {
        list.push({ name: part.words, start: at, length: part.millis, colour: COLOURS[part.state] || "grey",
          shown: millis(part.millis) });
        at += part.millis;
      }
    });
    var told = find(id + "-of");
    told.replaceChildren();
    if (of) told.append(link(of.url), ": " + millis(at) + " with a slot" + (waits.length ? ", and besides " + waits.join(", ")
      : "") + ".");
    bars(id, list);
  }

  function explain(state) {
    var of = state.explanation;
    find("verdict").textContent = !of ? "" : of.lately ? "In the last half minute " + of.lately + ". The whole run: " +
      of.words + "." : of.words.charAt(0).toUpperCase() + of.words.slice(1) + ".";
    var shares = (of ? of.limits : []).map(function (limit) {
      return limit.limit.replace(/_/g, " ") + " " + (limit.share * 100).toFixed(0) + " %";
    });
    find("shares").textContent = shares.length ? "Of the run: " + shares.join(", ") + "." : "";
    var table = of ? of.what_if : [];
    find("what-if-none").textContent = table.length ? "" : "Too little was done to say what a change would bring.";
    rows("what-if", table.map(function (line, at) {
      var times = of.pages_per_second > 0 ? (line.pages_per_second / of.pages_per_second).toFixed(2) : "";
      return [state.changes[at], number(line.pages_per_second), times, number(line.least), number(line.most)];
    }), 1);
    find("advice").replaceChildren.apply(find("advice"), (of ? of.advice : []).map(function (advice) {
      return element("li", advice.why + (advice.options ? ": " + advice.options : ""));
    }));
  }

  function problems(list) {
    find("problems-none").textContent = list.length ? "The last pages that could not be had, the newest first."
      : "None in this run, as far as this page knows. The report has those of the whole crawl.";
    rows("problems", list.map(function (problem) {
      var answer = (problem.status || problem.outcome) + (problem.error ? ": " + plain(problem.error) : "");
      return [link(problem.url), answer, problem.referrer ? link(problem.referrer) : "no page: a seed"];
    }), 3);
  }

  function actions(state) {
    find("actions").hidden = !state.has_actions;
    if (!state.has_actions) return;
    isPaused = state.standing === "paused";
    find("pause").textContent = isPaused ? "Resume" : "Pause";
    var isEnding = state.standing === "stopping";
    ["pause", "stop", "slots"].forEach(function (id) { find(id).disabled = isEnding; });
    find("slots").max = state.most_slots;
    if (!hasSlots) {
      hasSlots = true;
      find("slots").value = state.slots;
    }
  }

  function show(state) {
    standing(state.standing);
    find("content").hidden = false;
    find("seeds").textContent = plain(state.directory) + ", from " + state.seeds.map(plain).join(", ") +
      (state.stopped ? "; " + (STOPPED[state.stopped] || state.stopped) : "");
    var counts = state.counts;
    facts([
      [number(counts.pages), "pages"],
      [number(state.pages_per_second), "pages/s now"],
      [number(counts.errors), "errors"],
      [state.in_flight === null ? "" : number(state.in_flight) + " of " + number(state.slots), "in flight"],
      [number(state.queued), "queued"],
      [number(state.hosts), "hosts"],
      [bytes(counts.wire_bytes), "on the wire"],
      [(state.processors_busy * 100).toFixed(0) + " %", "of the processors"],
      [span(state.elapsed_seconds), "running"]
    ]);
    actions(state);
    explain(state);
    Object.keys(state.plots).forEach(function (id) {
      var plot = state.plots[id];
      nephilaCharts.update(id, plot.data, plot.labels, plot.name);
    });
    visit("typical", state.typical);
    visit("slowest", state.slowest);
    rows("states", state.states.map(function (of) {
      return [of.words, number(of.visits)].concat([of.p50, of.p90, of.p99, of.most].map(function (seconds) {
        return millis(seconds * 1000);
      }));
    }), 1);
    counted("outcomes", counts.outcomes, "blue");
    counted("statuses", counts.statuses, "green");
    problems(state.problems);
  }

  function showHosts(told) {
    find("hosts-none").textContent = told.lines.length === 0 ? "None." : told.other_pages > 0
      ? number(told.other_pages) + " pages of hosts beyond those that are counted one by one are not in this table." : "";
    rows("hosts", told.lines.map(function (line) {
      return [plain(line.host), number(line.pages), number(line.errors), millis(line.mean_millis), bytes(line.wire_bytes)];
    }), 1);
  }

  function ask(path, body) {
    var options = { cache: "no-store", headers: {} };
    var token = sessionStorage.getItem("nephila-token");
    if (token) options.headers.Authorization = "Bearer " + token;
    if (body !== undefined) {
      options.method = "POST";
      options.headers["Content-Type"] = "application/json";
      options.body = JSON.stringify(body);
    }
    return fetch(path, options).then(function (answer) {
      return answer.json().then(function (told) {
        if (answer.ok) return told;
        var error = new Error(told.error || "status " + answer.status);
        error.isTold = true;
        error.status = answer.status;
        throw error;
      });
    });
  }

  function trouble(text) {
    find("trouble").textContent = text || "";
    find("trouble").hidden = !text;
  }

  function wantToken(why) {
    sessionStorage.removeItem("nephila-token");
    find("token").hidden = false;
    find("content").hidden = true;
    trouble(why);
  }

  function again(after) {
    clearTimeout(timer);
    timer = setTimeout(look, after);
  }

  // Every ranking is kept, so that the buttons still choose when nobody answers any more.
  function askHosts(which) {
    return ask("/api/hosts?by=" + which).then(function (told) {
      rankings[which] = told;
      if (which === by) showHosts(told);
    });
  }

  function look() {
    if (isOver || document.hidden) return;
    if (document.body.dataset.token === "wanted" && !sessionStorage.getItem("nephila-token")) {
      wantToken("");
      return;
    }
    ask("/api/state").then(function (state) {
      trouble("");
      show(state);
      ticks += 1;
      // What this process ran is over for good; a directory may be gone on with.
      isOver = Boolean(state.rankings);
      if (state.rankings) {
        rankings = state.rankings;
        showHosts(rankings[by]);
      }
      if (isOver) return undefined;
      return (ticks % 2 === 1 ? askHosts(by) : Promise.resolve()).then(function () { again(EVERY); });
    }).catch(function (error) {
      if (error.status === 401) {
        wantToken(error.message);
        return;
      }
      standing("gone");
      trouble(error.isTold ? error.message : "No answer: the process that crawls has ended, or cannot be reached. What is " +
        "shown is what it told last.");
      find("actions").hidden = true;
      again(WHEN_GONE);
    });
  }

  function act(path, body, done) {
    find("done").textContent = "";
    ask(path, body).then(function (told) {
      find("done").textContent = typeof done === "function" ? done(told) : done;
      again(0);
    }, function (error) { find("done").textContent = error.message; });
  }

  // Stopping cannot be taken back: it takes two presses.
  function stop() {
    var button = find("stop");
    if (button.dataset.isSure) {
      delete button.dataset.isSure;
      button.textContent = "Stop";
      act("/api/stop", {}, "Stopping: pages in flight finish.");
      return;
    }
    button.dataset.isSure = "yes";
    button.textContent = "Really stop?";
    setTimeout(function () {
      delete button.dataset.isSure;
      button.textContent = "Stop";
    }, 4000);
  }

  function facet(list, name, value) {
    if (value === null || value === undefined || value === "") return;
    list.append(element("dt", name));
    var told = document.createElement("dd");
    told.append(value);
    list.append(told);
  }

  function showWhy(why) {
    var list = document.createElement("dl");
    if (why.error) {
      find("answer").replaceChildren(element("p", plain(why.error)));
      return;
    }
    facet(list, "URL", link(why.url));
    facet(list, "stands", why.standing.replace("_", " "));
    why.visits.forEach(function (visit) {
      facet(list, "asked for as", visit.kind + ", " + visit.hops + (visit.hops === 1 ? " hop" : " hops") + " from a seed");
      if (visit.referrer) facet(list, "linked from", link(visit.referrer));
      var done = visit.done;
      if (!done) return;
      facet(list, "outcome", done.outcome + (done.status ? ", status " + done.status : "") + ", " + millis(done.fetch_millis));
      facet(list, "title", done.title ? plain(done.title) : "");
      if (done.redirect_target) facet(list, "redirects to", link(done.redirect_target));
      facet(list, "row", done.row ? plain(done.row.file) + ", line " + done.row.line : "");
    });
    why.links.forEach(function (from) {
      facet(list, "linked from", link(from.page));
      facet(list, "which", from.reason ? plain(from.reason) : "");
    });
    facet(list, "host", plain(why.host.host) + ": " + number(why.host.pages) + " pages, " + number(why.host.errors) +
      " errors, " + number(why.host.queued) + " queued");
    find("answer").replaceChildren(element("p", plain(why.explanation)), list);
  }

  function listen() {
    find("pause").addEventListener("click", function () {
      if (isPaused) act("/api/resume", {}, "It goes on.");
      else act("/api/pause", {}, "Paused: pages in flight finish.");
    });
    find("stop").addEventListener("click", stop);
    find("concurrency").addEventListener("submit", function (event) {
      event.preventDefault();
      act("/api/concurrency", { concurrency: Number(find("slots").value) }, function (told) {
        find("slots").value = told.concurrency;
        return number(told.concurrency) + " fetches at once from now on.";
      });
    });
    find("why").addEventListener("submit", function (event) {
      event.preventDefault();
      find("answer").replaceChildren(element("p", "Looking for it in the log and the rows ..."));
      ask("/api/why?url=" + encodeURIComponent(find("url").value)).then(showWhy, function (error) {
        find("answer").replaceChildren(element("p", error.message));
      });
    });
    find("token").addEventListener("submit", function (event) {
      event.preventDefault();
      sessionStorage.setItem("nephila-token", find("token-text").value);
      find("token-text").value = "";
      find("token").hidden = true;
      look();
    });
    document.querySelectorAll(".choice").forEach(function (button) {
      button.addEventListener("click", function () {
        by = button.dataset.by;
        document.querySelectorAll(".choice").forEach(function (other) {
          other.setAttribute("aria-pressed", String(other === button));
        });
        if (rankings[by]) showHosts(rankings[by]);
        if (!isOver) askHosts(by).catch(function () {});
      });
    });
    document.addEventListener("visibilitychange", function () { again(0); });
  }

  listen();
  look();
})();
