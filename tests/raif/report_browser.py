"""A headless Chromium that is spoken to over a pipe (Chrome DevTools Protocol), without a port and without packages."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from base64 import b64decode
from pathlib import Path
from types import TracebackType
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync --hide-scrollbars "
    "--disable-background-networking --disable-component-update --disable-extensions --disable-dev-shm-usage "
    "--remote-debugging-pipe"
).split()
PATIENCE = 120.0  # seconds


class Browser:
    """A page in a browser; `events` keeps everything that the network and the console reported.

    Example: with Browser(profile) as browser: browser.open(path); browser.value("document.title")
    """

    def __init__(self, profile: Path) -> None:
        assert CHROMIUM is not None
        self.events: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._count, self._rest, self._session = 0, b"", None
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        # the browser reads its file descriptor 3 and writes 4; sh knows no descriptors of two digits
        launch = ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "bash", CHROMIUM, *FLAGS]
        quiet, profiled = subprocess.DEVNULL, f"--user-data-dir={profile}"
        ends = (commands, answers)
        self._process = subprocess.Popen([*launch, profiled], pass_fds=ends, stdout=quiet, stderr=quiet)
        os.close(commands)
        os.close(answers)

    def __enter__(self) -> Browser:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(30)
        os.close(self._write)
        os.close(self._read)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while self._count not in self._answers:
            assert time.monotonic() < deadline, f"no answer to {method}"
            self._receive()
        answer = self._answers.pop(self._count)
        assert "error" not in answer, f"{method}: {answer.get('error')}"
        return dict(answer["result"])

    def _receive(self) -> None:
        waiting, _, _ = select.select([self._read], [], [], PATIENCE)
        assert waiting, "the browser does not answer"
        received = os.read(self._read, 1 << 20)
        assert received, "the browser has gone"
        *messages, self._rest = (self._rest + received).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self.events.append(message)

    def open(self, page: Path, width: int = 1440, height: int = 900, dark: bool = False) -> float:
        """Show a page, wait until its script is done, and return how many seconds that took."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        start = time.monotonic()
        self.call("Page.navigate", url=page.resolve().as_uri())
        self.wait("document.documentElement?.dataset.ready === 'true'")
        return time.monotonic() - start

    def value(self, expression: str) -> Any:
        """Return what an expression (or promise) of the page comes to; what it throws is an error here."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until a condition of the page holds."""
        deadline = time.monotonic() + PATIENCE
        while not self.value(f"!!({condition})"):
            assert time.monotonic() < deadline, f"never came true: {condition}"
            time.sleep(0.02)

    def press(self, key: str, code: int = 0) -> None:
        """Press and release a key, as a person would."""
        text = {"Enter": "\r", "Space": " "}.get(key, "")
        named = {"key": " " if key == "Space" else key, "code": key, "windowsVirtualKeyCode": code, "text": text}
        self.call("Input.dispatchKeyEvent", type="keyDown", **named)
        self.call("Input.dispatchKeyEvent", type="keyUp", **{**named, "text": ""})

    def picture(self, path: Path, whole: bool = False, selector: str = "") -> None:
        """Save a screenshot of the window, of the whole page, or of an element."""
        options: dict[str, Any] = {"format": "png", "captureBeyondViewport": True}
        if selector or whole:
            box = self.value(
                f"(() => {{ const b = document.querySelector({selector or 'html'!r}).getBoundingClientRect();"
                " return {x: b.x + scrollX, y: b.y + scrollY, width: b.width, height: b.height}; })()"
            )
            options["clip"] = {**box, "height": min(box["height"], 16_000), "scale": 1}
        path.write_bytes(b64decode(self.call("Page.captureScreenshot", **options)["data"]))

    def complaints(self) -> list[str]:
        """Return everything that went wrong: console errors, exceptions, violations of the content policy."""
        found = []
        for event in self.events:
            details, method = event["params"], event["method"]
            if method == "Runtime.exceptionThrown":
                found.append(str(details["exceptionDetails"]))
            elif method == "Runtime.consoleAPICalled" and details["type"] in ("error", "warning", "assert"):
                found.append(str(details["args"]))
            elif method == "Log.entryAdded" and details["entry"]["level"] in ("error", "warning"):
                found.append(str(details["entry"]))
        return found

    def requests(self) -> list[str]:
        """Return the addresses of everything that was asked for, the pages themselves included."""
        return [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
