// The whole script of the panel. Every page works without it; it only makes waiting and typing pleasanter.
// ES2020, no look-behind; no text ever becomes markup (the policy forbids it): fragments come as documents.
(function () {
  "use strict";
  var all = function (selector, within) { return Array.prototype.slice.call((within || document).querySelectorAll(selector)); };
  var one = function (selector, within) { return (within || document).querySelector(selector); };

  // A page as a document, from a GET or from a form.
  function fetchPage(method, address, body, then) {
    var request = new XMLHttpRequest();
    request.open(method, address);
    request.responseType = "document";
    request.setRequestHeader("Accept", "text/html");
    if (body) request.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
    request.onload = function () { then(request.status, request.response); };
    request.onerror = function () { then(0, null); };
    request.send(body || null);
    return request;
  }

  // Puts the new version of one element in the place of the old one, keeping open what was open and the focus where it was.
  function swap(selector, page) {
    var before = one(selector), after = page && one(selector, page);
    if (!before || !after) return null;
    var open = all("details", before).map(function (box) { return box.open; });
    var focused = document.activeElement && before.contains(document.activeElement) ? all("a, button, summary, [tabindex]", before).indexOf(document.activeElement) : -1;
    after = document.adoptNode(after);
    before.replaceWith(after);
    all("details", after).forEach(function (box, index) { if (open[index]) box.open = true; });
    var again = focused >= 0 && all("a, button, summary, [tabindex]", after)[focused];
    if (again) again.focus();
    copyButtons(after);
    return after;
  }

  // A form is sent once; its button says what is going on.
  function guard(form) {
    form.addEventListener("submit", function (event) {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "1";
      var button = event.submitter || one("button:not([type=button])", form);
      if (!button || button.name) return;
      button.style.minWidth = button.offsetWidth + "px";
      button.dataset.word = button.textContent;
      button.setAttribute("aria-disabled", "true");
      button.textContent = form.dataset.busy;
    });
  }
  // Back in history shows the page as it was left: forms must work again.
  window.addEventListener("pageshow", function (event) {
    if (!event.persisted) return;
    all("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
      all("[data-word]", form).forEach(function (button) {
        button.removeAttribute("aria-disabled");
        button.textContent = button.dataset.word;
      });
    });
  });

  // A button beside what people copy.
  function copyButtons(within) {
    if (!navigator.clipboard) return;
    all("[data-copy]", within).forEach(function (source) {
      if (source.dataset.ready) return;
      source.dataset.ready = "1";
      // What names itself is a box around the text: a password is copied while it is covered.
      var name = source.dataset.copy, text = (name ? one("code", source) : source).textContent.trim(), button = document.createElement("button"), back;
      button.type = "button";
      button.className = "copied";
      button.textContent = "Copy";
      button.setAttribute("aria-label", "Copy " + (name || (text.length > 60 ? "this text" : text)));
      button.addEventListener("click", function () {
        navigator.clipboard.writeText(text).then(function () {
          button.textContent = "Copied";
          clearTimeout(back);
          back = setTimeout(function () { button.textContent = "Copy"; }, 2000);
        });
      });
      source.insertAdjacentElement("afterend", button);
    });
  }

  // The password meter: words, no colours, no points.
  function meter(input) {
    var words = document.getElementById(input.dataset.meter);
    var later;
    input.addEventListener("input", function () {
      clearTimeout(later);
      later = setTimeout(function () {
        var length = new TextEncoder().encode(input.value).length, different = new Set(input.value).size;
        words.textContent = length === 0 ? "" : length < 12 ? "Too short: " + (12 - length) + " more"
          : different < 6 ? "Too few different characters" : length < 16 ? "Long enough" : "Good length";
      }, 300);
    });
  }

  // New site, settings: the plan beside the form follows what is typed.
  function livePlan(form) {
    var timer, running, last = "", plan = function () { return document.getElementById("plan"); };
    var host = one("#hostname", form), www = one("[data-www]", form);
    function state() {
      var data = new URLSearchParams(new FormData(form));
      ["plan", "seen"].forEach(function (name) { data.delete(name); });
      return data;
    }
    function stale() {
      // What is on screen is no longer what the form says: it must not be run.
      all("input[type=hidden]", plan()).forEach(function (field) { field.remove(); });
      plan().setAttribute("aria-busy", "true");
    }
    function look() {
      var data = state(), key = data.toString();
      if (host && !host.value.trim() || form.dataset.sent) { plan().removeAttribute("aria-busy"); return; }
      if (running) running.abort();
      last = key;
      data.set("live", "1");
      running = fetchPage("POST", form.getAttribute("action"), data.toString(), function (status, page) {
        running = null;
        if (state().toString() !== key) return;
        if (status === 200 && swap("#plan", page)) { swap("footer .command", page); return; }
        plan().removeAttribute("aria-busy");
        var said = document.createElement("p");
        said.className = "note";
        said.textContent = status === 401 ? "You were signed out. Sign in in another tab; what you typed stays here."
          : "The plan cannot be shown at the moment. Press the button to check it.";
        plan().replaceChildren(said);
      });
    }
    function later(wait) {
      if (state().toString() === last) return;
      stale();
      clearTimeout(timer);
      timer = setTimeout(look, wait);
    }
    form.addEventListener("input", function (event) {
      if (host && event.target === host && www) www.textContent = "www." + (host.value.trim() || "shop.example");
      later(350);
    });
    form.addEventListener("change", function () { later(0); });
    if (!host || host.value.trim()) last = state().toString();
  }

  // An operation: the stream says when there is something new, and the page is read again.
  function watch(box) {
    var source, busy = false, dirty = false, over = box.dataset.final === "true", spoken = 0, waiting, words;
    var address = "/operations/" + box.dataset.id, announce = document.getElementById("announce");
    function say(text) {
      words = text;
      clearTimeout(waiting);
      waiting = setTimeout(function () {
        if (announce.textContent !== words) announce.textContent = words;
        spoken = Date.now();
      }, Math.max(0, spoken + 3000 - Date.now()));
    }
    function notice(text) {
      var old = document.getElementById("stream");
      if (old) old.remove();
      if (!text) return;
      var line = document.createElement("p");
      line.id = "stream";
      line.className = "banner warn";
      line.setAttribute("role", "status");
      line.textContent = text;
      one("main").insertBefore(line, one("#operation"));
    }
    function show() {
      if (busy) { dirty = true; return; }
      busy = true;
      fetchPage("GET", address + "?watch=1", null, function (status, page) {
        busy = false;
        var fresh = status === 200 && swap("#operation", page);
        if (fresh) {
          document.title = fresh.dataset.title;
          say(fresh.dataset.announce);
          over = fresh.dataset.final === "true";
          var count = one(".running");
          if (over && count) count.remove();
        } else if (status === 401) {
          close();
          notice("You were signed out. The work goes on; sign in again to watch it.");
          return;
        }
        if (over) { close(); notice(""); }
        else if (dirty) { dirty = false; show(); }
      });
    }
    function close() { if (source) { source.close(); source = null; } }
    function open() {
      if (over || source || !window.EventSource) return;
      // The browser sends Last-Event-ID by itself when it reconnects; `after` covers a stream we closed ourselves.
      var now = one("#operation");
      source = new EventSource(address + "/events?after=" + now.dataset.sequence);
      source.addEventListener("progress", function (event) {
        notice("");
        // The last event: the stream ends with it, and that is no fault.
        if (JSON.parse(event.data).final) close();
        show();
      });
      source.addEventListener("signed-out", function () {
        close();
        notice("You were signed out. The work goes on; sign in again to watch it.");
      });
      source.onerror = function () {
        if (over || !source) return;
        notice("Live updates stopped at " + new Date().toLocaleTimeString() + ". Reconnecting…");
        if (source.readyState === 2) { close(); setTimeout(open, 2000); }
      };
      source.onopen = function () { notice(""); };
    }
    // A hidden tab holds no stream; when it comes back it looks first.
    document.addEventListener("visibilitychange", function () {
      if (document.hidden) close();
      else if (!over) { show(); open(); }
    });
    if (!over) { say(box.dataset.announce); open(); show(); }
  }

  // A log: entries are added on top as they come. Who reads further down is not moved; the new ones wait behind a button.
  function followLog(box) {
    if (!window.EventSource) return;
    var list = one("ol.log", box), last = box.dataset.after, source, held = [], most = 2000, on = false;
    var head = one(".head", box), button = document.createElement("button"), waiting = document.createElement("button"), said = document.createElement("p");
    function make(name, kind, text) {
      var node = document.createElement(name);
      if (kind) node.className = kind;
      node.textContent = text;
      return node;
    }
    function entry(row) {
      var item = document.createElement("li");
      item.append(make("span", "when", row[0]), " ");
      if (row[2]) item.append(make("span", "pill " + row[1], row[2]), " ");
      if (row[4]) {
        var fold = document.createElement("details"), head = document.createElement("summary"), whole = make("pre", "", row[4]);
        head.append(make("code", "", row[3]));
        whole.tabIndex = 0;
        whole.setAttribute("aria-label", "The whole entry");
        fold.append(head, whole);
        item.append(fold);
      } else item.append(make("code", "", row[3]));
      if (row[5]) item.append(make("span", "from", row[5]));
      return item;
    }
    function count() {
      waiting.hidden = !held.length;
      waiting.textContent = held.length === 1 ? "1 new line" : held.length + " new lines";
    }
    function put() {
      held.splice(0).forEach(function (item) { list.prepend(item); });
      while (list.children.length > most) list.lastElementChild.remove();
      list.hidden = !list.children.length;
      one(".nothing", box).hidden = !list.hidden;
      count();
    }
    function say(text) { said.textContent = text; said.hidden = !text; }
    function close() { if (source) { source.close(); source = null; } }
    function open() {
      if (source) return;
      // The browser sends Last-Event-ID by itself when it reconnects; `after` covers a stream we closed ourselves.
      source = new EventSource(box.dataset.follow + "&after=" + encodeURIComponent(last));
      source.addEventListener("lines", function (event) {
        var news = JSON.parse(event.data);
        last = event.lastEventId || last;
        say(news.exists ? "" : "This log file was deleted: what is logged now is lost until it is put back.");
        if (news.skipped) held.push(make("li", "skipped", news.skipped + " of entries were skipped: more came than can be shown. They are in the file on the server."));
        news.rows.forEach(function (row) { held.push(entry(row)); });
        if (held.length > most) held.splice(0, held.length - most);
        if (box.getBoundingClientRect().top < -40) count(); else put();
      });
      source.addEventListener("signed-out", function () { set(false); say("You were signed out. Sign in again to follow the log."); });
      source.onerror = function () {
        if (!source) return;
        say("Live updates stopped at " + new Date().toLocaleTimeString() + ". Reconnecting…");
        if (source.readyState === 2) { close(); setTimeout(function () { if (on && !document.hidden) open(); }, 2000); }
      };
      source.onopen = function () { say(""); };
    }
    function set(state) {
      on = state;
      button.setAttribute("aria-pressed", String(on));
      button.textContent = on ? "Following" : "Follow";
      if (on) open(); else close();
    }
    button.type = waiting.type = "button";
    button.className = "button";
    button.addEventListener("click", function () { say(""); set(!on); });
    waiting.className = "button primary waiting";
    waiting.addEventListener("click", function () { put(); head.scrollIntoView(); button.focus(); });
    said.className = "banner warn";
    said.setAttribute("role", "status");
    said.hidden = true;
    head.append(button);
    head.after(said, waiting);
    count();
    set(false);
    // A hidden tab holds no stream; when it comes back it goes on where it was.
    document.addEventListener("visibilitychange", function () {
      if (document.hidden) close(); else if (on) open();
    });
  }

  // Something runs that ends soon: the page looks again until it has.
  function again() {
    if (!one("[data-again]")) return;
    setTimeout(function () {
      if (document.hidden) { again(); return; }
      fetchPage("GET", location.pathname, null, function (status, page) {
        if (status === 200) ["#head", "#shown", "#order"].forEach(function (part) {
          var fresh = swap(part, page);
          if (fresh) all("form[data-busy]", fresh).forEach(guard);
        });
        again();
      });
    }, 2000);
  }

  again();
  all("[data-follow]").forEach(followLog);
  all("form[data-busy]").forEach(guard);
  all("form[data-live]").forEach(livePlan);
  all("[data-meter]").forEach(meter);
  all("#operation").forEach(watch);
  copyButtons();
  var first = one("[data-focus]");
  if (first) first.focus();
})();
