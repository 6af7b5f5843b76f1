"""The engine inside a page: the kernel as WebAssembly, and what a page needs to run it (docs/design/live-page.md)."""
