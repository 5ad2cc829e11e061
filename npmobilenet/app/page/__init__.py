"""The page in the browser: three tabs, built with NiceGUI on the server of `npmobilenet app`."""

from npmobilenet.app.page.mount import mount_page

__all__ = ["mount_page"]
