// Fetches this page again whenever the router says that something happened, and swaps the main element.
(() => {
  "use strict";
  const pause = 1000;
  let busy = false, again = false;
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const state = (on) => document.body.classList.toggle("lost", !on);

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    do {
      again = false;
      try {
        const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
        if (answer.redirected || answer.status === 401) { location.reload(); return; }
        if (answer.ok) {
          const page = new DOMParser().parseFromString(await answer.text(), "text/html");
          const now = document.getElementById("main"), next = page.getElementById("main");
          if (next && now.innerHTML !== next.innerHTML) {
            const open = [...now.querySelectorAll("details[open][id]")].map((one) => one.id);
            for (const id of open) { const one = next.querySelector("#" + CSS.escape(id)); if (one) one.open = true; }
            now.replaceWith(document.adoptNode(next));
          }
          state(true);
        }
      } catch { state(false); }
      await wait(pause);
    } while (again);
    busy = false;
  }

  const source = new EventSource("/v1/stream");
  source.addEventListener("message", refresh);
  source.addEventListener("open", () => { state(true); refresh(); });
  source.addEventListener("error", () => state(false));
})();
