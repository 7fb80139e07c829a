"""Headless Chromium over the DevTools protocol: enough of it to open a page and look at it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

#: Names of the program in the usual distributions; $CHROMIUM goes before them.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def program() -> str | None:
    """Path of an installed Chromium, None without one."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """A running Chromium with one page; keeps everything the page complained about and asked for.

    `complaints` are console errors and warnings, uncaught exceptions and dialogs; `requests` the addresses fetched.
    """

    def __init__(self, profile: Path) -> None:
        from websockets.sync.client import connect

        found = program()
        assert found is not None, f"Chromium is needed: install one of {', '.join(PROGRAMS)} or set CHROMIUM to its path"
        flags = ["--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--remote-debugging-port=0"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            flags.append("--no-sandbox")  # the sandbox refuses to run as root, as in a container
        self._closing = ExitStack()
        try:
            log = self._closing.enter_context((profile / "chromium.log").open("wb"))
            command = [found, *flags, "--disable-dev-shm-usage", f"--user-data-dir={profile}", "about:blank"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
            self._closing.callback(self._end)
            port = self._port(profile)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=20) as answer:
                page = next(target for target in json.load(answer) if target["type"] == "page")
            self._socket = self._closing.enter_context(connect(page["webSocketDebuggerUrl"], max_size=None, open_timeout=20))
        except BaseException:
            self.close()
            raise
        self._last = 0
        self.complaints: list[str] = []
        self.requests: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        self._closing.close()

    def open(self, path: Path, *, width: int, mobile: bool = False) -> None:
        """Open a file in a window of a width [px] and wait until it is loaded."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 2 if mobile else 1, "mobile": mobile}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.complaints.clear()
        self.requests.clear()
        self.call("Page.navigate", url=path.as_uri())
        # Decoding is part of loading a picture: a broken data URI shows only there.
        self.run("new Promise(done => document.readyState == 'complete' ? done() : addEventListener('load', () => done()))")
        self.run("Promise.allSettled([...document.images].map(image => image.decode())).then(() => true)")

    def run(self, script: str) -> object:
        """Value of an expression in the page; promises are awaited."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def call(self, method: str, **parameters: object) -> dict:
        """Result of a DevTools command; events that come before it are noted."""
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            if message.get("id") == self._last:
                assert "error" not in message, (method, message["error"])
                return message["result"]
            self._note(message)

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)

    def _note(self, event: dict) -> None:
        name, what = event.get("method"), event.get("params", {})
        if name == "Runtime.exceptionThrown":
            self.complaints.append(what["exceptionDetails"].get("text", "") + str(what["exceptionDetails"].get("exception", "")))
        elif name == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning", "assert"):
            self.complaints.append(str([argument.get("value") for argument in what["args"]]))
        elif name == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            self.complaints.append(what["entry"]["text"])
        elif name == "Page.javascriptDialogOpening":
            self.complaints.append(f"dialog: {what['message']}")
            self._socket.send(json.dumps({"id": 0, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}}))
        elif name == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])

    def _port(self, profile: Path) -> int:
        written = profile / "DevToolsActivePort"
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if written.exists() and (lines := written.read_text().splitlines()):
                return int(lines[0])
            assert self._process.poll() is None, f"Chromium ended: {(profile / 'chromium.log').read_text(errors='replace')[-2000:]}"
            time.sleep(0.1)
        raise AssertionError("Chromium did not open its DevTools port within 60 s")
