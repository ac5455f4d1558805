"use strict";
(() => {
  const words = (seconds) => {
    const steps = [["day", 86400], ["hour", 3600], ["minute", 60]];
    const [unit, size] = steps.find(([, length]) => Math.abs(seconds) >= length) || ["minute", 60];
    return new Intl.RelativeTimeFormat("en", { numeric: "always" }).format(Math.trunc(seconds / size), unit);
  };
  const ahead = new Date(document.documentElement.dataset.now) - Date.now();
  const tell = () =>
    document.querySelectorAll("time[data-relative]").forEach((time) => {
      const at = new Date(time.dateTime);
      const span = time.nextElementSibling;
      if (span) span.textContent = words((at - Date.now() - ahead) / 1000);
      time.title = at.toLocaleString();
    });

  const explore = (button) => {
    const holder = document.getElementById(button.getAttribute("aria-controls"));
    const load = (tag, attributes) =>
      new Promise((done) => {
        const node = document.createElement(tag);
        Object.assign(node, attributes).addEventListener("load", done);
        document.head.append(node);
      });
    const draw = async () => {
      const wanted = [fetch(button.dataset.numbers).then((answer) => answer.text())];
      if (!window.uPlot) {
        wanted.push(load("script", { src: button.dataset.script }));
        wanted.push(load("link", { rel: "stylesheet", href: button.dataset.style }));
      }
      const [text] = await Promise.all(wanted);
      const [names, ...rows] = text.trim().split(/\r?\n/).map((line) => line.split(","));
      const columns = [0, names.length - 2, names.length - 1];
      const data = columns.map((c) => rows.map((row) => (row[c] === "" ? null : Number(row[c]))));
      const css = getComputedStyle(holder);
      const ink = css.getPropertyValue("--ink");
      const axis = { stroke: css.getPropertyValue("--soft"), grid: { stroke: css.getPropertyValue("--hair"), width: 1 } };
      const four = (_, value) => (value === null ? "" : value.toFixed(4));
      new window.uPlot(
        {
          width: holder.clientWidth,
          height: 340,
          scales: { x: { time: false } },
          axes: [axis, axis],
          series: [
            { label: names[0] },
            { label: names[columns[1]], stroke: css.getPropertyValue("--accent"), width: 2, value: four },
            { label: names[columns[2]], stroke: ink, width: 3, value: four },
          ],
        },
        data,
        holder,
      );
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = holder.hidden;
      holder.hidden = !shown;
      button.setAttribute("aria-expanded", String(shown));
      if (shown && !holder.firstChild) draw();
    });
  };

  const drops = (form) => {
    const zone = form.querySelector(".drop");
    const input = form.querySelector("input[type=file]");
    const told = form.querySelector("output");
    const name = () => {
      const file = input.files[0];
      told.textContent = file ? `${file.name}, ${Math.ceil(file.size / 1000).toLocaleString("en")} kB` : "";
    };
    input.addEventListener("change", name);
    ["dragenter", "dragover"].forEach((kind) =>
      zone.addEventListener(kind, (event) => {
        event.preventDefault();
        zone.classList.add("over");
      }),
    );
    ["dragleave", "drop"].forEach((kind) => zone.addEventListener(kind, () => zone.classList.remove("over")));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) {
        input.files = event.dataTransfer.files;
        name();
      }
    });
    form.addEventListener("submit", (event) => {
      if (!input.files.length) return;
      event.preventDefault();
      send(form, event.submitter);
    });
  };

  const reason = (request, page) => {
    try {
      return JSON.parse(request.responseText).detail;
    } catch {
      const head = page.querySelector("main h1");
      return head ? head.textContent : `status ${request.status}`;
    }
  };

  const send = (form, button) => {
    const bar = form.querySelector("progress");
    const told = form.querySelector("output");
    const buttons = Array.from(form.querySelectorAll("button"));
    const request = new XMLHttpRequest();
    const busy = (is) => {
      bar.hidden = !is;
      buttons.forEach((each) => (each.disabled = is));
    };
    const body = new FormData(form);
    if (button && button.name) body.set(button.name, button.value);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
      told.textContent = event.loaded < event.total ? "Sending …" : "Sent. Checking every row …";
    });
    request.addEventListener("load", () => {
      busy(false);
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const answer = page.getElementById("answer");
      const here = document.getElementById("answer");
      if (!answer && request.status < 400) {
        location.assign(request.responseURL);
        return;
      }
      if (!answer) {
        told.textContent = `It was not taken: ${reason(request, page)}`;
        return;
      }
      here.replaceChildren(...answer.childNodes);
      told.textContent = "";
      const head = here.querySelector("h2");
      if (head) head.focus();
    });
    request.addEventListener("error", () => {
      busy(false);
      told.textContent = "It did not arrive: the connection broke. Send it again.";
    });
    busy(true);
    bar.value = 0;
    request.open("POST", form.action);
    request.send(body);
  };

  const start = () => {
    tell();
    document.querySelectorAll("button[data-explore]").forEach(explore);
    document.querySelectorAll("form[data-drop]").forEach(drops);
  };
  start();
  setInterval(tell, 30000);
  document.addEventListener("htmx:after:swap", tell);
})();
