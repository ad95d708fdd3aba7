"""The only place that touches asyncio and sockets: listeners, the lean byte stream, the clock. No HTTP, no rule."""
