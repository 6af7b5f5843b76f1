/* A live figure in a notebook: the model of anywidget stands for the elements of a page that hold engine and script. */
export default {
  async render({model, el}) {
    el.innerHTML = model.get("html");
    el.classList.add("schild");
    const bytes = (id) => Uint8Array.from(atob(model.get(id.replace("schild-", ""))), (c) => c.charCodeAt(0));
    const unzip = (some) => new Response(new Blob([some]).stream().pipeThrough(new DecompressionStream("gzip")));
    el.changed = (link) => { model.set("link", link); model.save_changes(); };
    new Function("bytes", "unzip", "root", await unzip(bytes("schild-script")).text())(bytes, unzip, el);
  },
};
