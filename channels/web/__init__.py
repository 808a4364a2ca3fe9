"""Web pages as a channel: live chat by a widget that any site can show."""
