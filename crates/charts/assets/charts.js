// Draws the plots of a page. Each is a <div class="plot" id="plot-ID"> beside a block of JSON
// <script type="application/json" id="data-ID">; no text of it ever becomes markup.
// nephilaCharts.update(ID, data, labels, name) replaces the data of a plot: [xs, values of the first series,
// ...], and where they are given the labels of the xs and the name of their axis.
var nephilaCharts = (function () {
  "use strict";

  var plots = new Map();

  function number(value, compact) {
    if (value === null || value === undefined || !isFinite(value)) return "";
    var options = { maximumSignificantDigits: compact ? 3 : 4 };
    if (compact) options.notation = "compact";
    return value.toLocaleString("en", options);
  }

  function colours() {
    var style = getComputedStyle(document.documentElement);
    return function (name) { return style.getPropertyValue("--" + name).trim(); };
  }

  function isPiled(spec) { return spec.kind === "bands" || spec.kind === "stack"; }

  // What is drawn: what lies on one another is added up from below, and a logarithm takes nothing below zero.
  function drawn(spec, data) {
    var columns = data.map(function (column) { return column.slice(); });
    if (isPiled(spec)) {
      for (var series = 2; series < columns.length; series++) {
        for (var at = 0; at < columns[series].length; at++) {
          columns[series][at] = (columns[series][at] || 0) + (columns[series - 1][at] || 0);
        }
      }
      // The highest first, so that each lower one covers its part.
      return [columns[0]].concat(columns.slice(1).reverse());
    }
    if (spec.y.log) {
      for (var line = 1; line < columns.length; line++) {
        columns[line] = columns[line].map(function (value) { return value > 0 ? value : null; });
      }
    }
    return columns;
  }

  function scale(axis, range) {
    var made = { time: false };
    if (axis.log) {
      made.distr = 3;
      made.log = axis.log;
    }
    if (range) made.range = range;
    return made;
  }

  // A mark of an axis: powers of two in full, since nobody knows them by their first digits.
  function mark(spec, value) {
    if (value === null) return "";
    if (spec.log === 2 && value >= 1 && value < 1e5) return value.toLocaleString("en", { maximumFractionDigits: 0 });
    return number(value, true);
  }

  // Whole powers of the base: a line for each of 2, 3 ... 9 in between would be a hatching.
  function powers(base) {
    return function (_, splits) {
      return splits.map(function (value) {
        var power = Math.log(value) / Math.log(base);
        return Math.abs(power - Math.round(power)) < 1e-6 ? value : null;
      });
    };
  }

  function axis(spec, colour, side) {
    var made = {
      label: spec.label || undefined,
      labelFont: "12px system-ui, sans-serif",
      font: "12px system-ui, sans-serif",
      labelSize: spec.label ? 20 : 0,
      stroke: colour("quiet"),
      grid: { stroke: colour("grid"), width: 1 },
      ticks: { stroke: colour("line"), width: 1 },
      values: function (_, splits) {
        return splits.map(function (value) { return mark(spec, value); });
      }
    };
    if (spec.log) made.filter = made.grid.filter = made.ticks.filter = powers(spec.log);
    made.size = side === "y" ? 52 : 32;
    return made;
  }

  // A name in lines of at most so many characters, as far as its words allow.
  function wrapped(name, characters) {
    var lines = [""];
    name.split(" ").forEach(function (word) {
      var last = lines[lines.length - 1];
      if (last && last.length + 1 + word.length > characters) lines.push(word);
      else lines[lines.length - 1] = last ? last + " " + word : word;
    });
    return lines.join("\n");
  }

  // Bars stand at 0, 1, 2 ...; as many of their names are written as there is room for, in smaller letters
  // where there is little.
  function named(made, labels, width) {
    var room = Math.max(width - 70, 1);
    var letter = width < 480 ? 6 : 7;
    if (width < 480) made.font = "10px system-ui, sans-serif";
    var step = Math.max(1, Math.ceil(labels.length * 8 * letter / room));
    var characters = Math.max(6, Math.floor(room / labels.length * step / letter));
    var names = labels.map(function (name) { return wrapped(name, characters); });
    var lines = names.reduce(function (most, name) { return Math.max(most, name.split("\n").length); }, 1);
    made.size = 18 + 18 * lines;
    made.splits = function () {
      var places = [];
      for (var at = 0; at < labels.length; at += step) places.push(at);
      return places;
    };
    made.values = function (_, splits) { return splits.map(function (at) { return names[at]; }); };
    made.grid = { show: false };
    return made;
  }

  function barPaths(place, count) {
    var width = 0.8 / count;
    return uPlot.paths.bars({
      disp: {
        x0: { unit: 1, values: function (u) { return u.data[0].map(function (x) { return x - 0.4 + place * width; }); } },
        size: { unit: 1, values: function () { return [width * 0.94]; } }
      }
    });
  }

  function series(plot, colour) {
    var spec = plot.spec;
    var made = spec.series.map(function (of, place) {
      var stroke = colour(of.colour);
      var told = {
        label: of.name,
        stroke: stroke,
        value: function (_, __, ___, at) {
          return at === null || at === undefined ? "" : number(plot.data[place + 1][at], false);
        }
      };
      if (spec.kind === "lines") {
        told.width = 2;
        told.spanGaps = true;
        told.points = { show: of.points, size: 7, fill: of.dashed ? colour("sheet") : stroke, stroke: stroke };
        if (of.dashed) told.dash = [7, 5];
      } else {
        told.fill = stroke;
        told.width = isPiled(spec) ? 0 : 1;
        told.points = { show: false };
        if (spec.kind === "bars") told.paths = barPaths(place, spec.series.length);
        else told.paths = uPlot.paths.stepped({ align: 1 });
      }
      return told;
    });
    if (isPiled(spec)) made.reverse();
    var x = {
      label: spec.x.label || "at",
      value: function (_, value) {
        if (value === null || value === undefined) return "";
        return spec.labels ? spec.labels[value] || "" : number(value, false);
      }
    };
    return [x].concat(made);
  }

  function options(plot, width) {
    var spec = plot.spec;
    var colour = colours();
    var fromZero = function (_, low, high) {
      if (low === null || low === undefined) return [0, 1];
      return [Math.min(0, low), high > 0 ? high * 1.06 : 1];
    };
    // The smallest bar is to be seen too: the axis begins well below it.
    var fromPower = function (_, low, high) {
      if (!(low > 0)) return [1, 10];
      var power = function (value, round) { return Math.pow(spec.y.log, round(Math.log(value) / Math.log(spec.y.log))); };
      return [power(low * 0.6, Math.floor), power(high, Math.ceil)];
    };
    var ofLog = spec.kind === "bars" ? fromPower : null;
    var yRange = spec.kind === "bands" ? function () { return [0, 1]; } : spec.y.log ? ofLog : fromZero;
    var xRange = spec.kind === "bars" ? function () { return [-0.5, spec.labels.length - 0.5]; } : null;
    var made = series(plot, colour);
    var xAxis = axis(spec.x, colour, "x");
    if (spec.kind === "bars") named(xAxis, spec.labels, width);
    return {
      width: width,
      height: width < 480 ? 230 : 300,
      scales: { x: scale(spec.x, xRange), y: scale(spec.y, yRange) },
      axes: [xAxis, axis(spec.y, colour, "y")],
      series: made,
      cursor: { drag: { x: spec.kind !== "bars", y: false }, points: { show: spec.kind === "lines" } },
      legend: {
        live: true,
        markers: {
          width: 2,
          dash: function (u, at) { return u.series[at].dash ? "dashed" : "solid"; },
          stroke: function (u, at) { return at > 0 ? made[at].stroke : null; },
          fill: function (u, at) { return at > 0 && !u.series[at].dash ? made[at].stroke : null; }
        }
      }
    };
  }

  function draw(plot) {
    var width = Math.floor(plot.box.clientWidth);
    if (width < 50) return;
    if (plot.made) plot.made.destroy();
    plot.width = width;
    plot.made = new uPlot(options(plot, width), drawn(plot.spec, plot.data), plot.box);
  }

  function redraw() { plots.forEach(draw); }

  // The rows of the table below the plot, one for each x.
  function tell(plot, id) {
    var body = document.querySelector("#table-" + CSS.escape(id) + " tbody");
    if (!body) return;
    var rows = plot.data[0].map(function (x, at) {
      var row = document.createElement("tr");
      plot.data.forEach(function (column, place) {
        var cell = document.createElement(place === 0 ? "th" : "td");
        var labels = place === 0 && plot.spec.labels;
        if (place === 0) cell.scope = "row";
        if (!labels) cell.className = "n";
        cell.textContent = labels ? labels[x] || "" : number(column[at], false);
        row.appendChild(cell);
      });
      return row;
    });
    body.replaceChildren.apply(body, rows);
  }

  function same(one, other) {
    return one.length === other.length && one.every(function (text, at) { return text === other[at]; });
  }

  function update(id, data, labels, name) {
    var plot = plots.get(id);
    if (!plot) return false;
    var isNew = !plot.made;
    plot.data = data;
    if (labels && !same(labels, plot.spec.labels || [])) {
      plot.spec.labels = labels;
      isNew = true;
    }
    if (name && name !== plot.spec.x.label) {
      plot.spec.x.label = name;
      isNew = true;
    }
    if (isNew) draw(plot);
    else plot.made.setData(drawn(plot.spec, data));
    tell(plot, id);
    return true;
  }

  function paper(on) {
    if (on) document.documentElement.setAttribute("data-paper", "");
    else document.documentElement.removeAttribute("data-paper");
    redraw();
  }

  function start() {
    var watcher = new ResizeObserver(function (entries) {
      entries.forEach(function (entry) {
        plots.forEach(function (plot) {
          if (plot.box === entry.target && Math.floor(plot.box.clientWidth) !== plot.width) draw(plot);
        });
      });
    });
    document.querySelectorAll(".plot").forEach(function (box) {
      var id = box.id.slice("plot-".length);
      var spec = JSON.parse(document.getElementById("data-" + id).textContent);
      var plot = { box: box, spec: spec, data: spec.data, made: null, width: 0 };
      plots.set(id, plot);
      draw(plot);
      watcher.observe(box);
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    addEventListener("beforeprint", function () { paper(true); });
    addEventListener("afterprint", function () { paper(false); });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();

  return { update: update, redraw: redraw };
})();
