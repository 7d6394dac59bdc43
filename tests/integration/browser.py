"""A real Chromium, steered by its own protocol."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.integration.tethered import tethered

#: Where Chromium is; None where it is not installed.
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

#: Whether the page of an address is there, which was asked for.
_IS_LOADED = (
    "location.href === %s && !window.isBefore && document.readyState === 'complete'"
)


class Tab:
    """One page, opened in the browser."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._line = line
        self._session = session
        self._numbers = itertools.count(100)
        self.complaints: list[str] = []

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command; return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        await self._line.send_json({**message, "sessionId": self._session})
        return await self._until(number)

    async def look(self, expression: str) -> Any:
        """Evaluate an expression in the page; a promise is waited for."""
        found = await self.call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def press(self, key: str) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            text = key if kind == "keyDown" and len(key) == 1 else ""
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, text=text)

    async def open(self, url: str) -> None:
        """Go to a page, and wait until it is loaded."""
        await self._load(url, "Page.navigate", url=url)

    async def reload(self) -> None:
        """Load the page again, in the same process, as the key F5 does."""
        await self._load(await self.look("location.href"), "Page.reload")

    async def _load(self, wanted: str, method: str, **params: Any) -> None:
        # The page before it may still answer when the new one is on its way.
        await self.look("window.isBefore = true")
        await self.call(method, **params)
        while not await self.look(_IS_LOADED % json.dumps(wanted)):
            await asyncio.sleep(0.05)

    async def _until(self, number: int) -> dict[str, Any]:
        while True:
            told = json.loads((await self._line.receive()).data)
            if told.get("method") == "Log.entryAdded":
                self.complaints.append(told["params"]["entry"]["text"])
            if told.get("id") == number:
                assert "error" not in told, told
                return dict(told["result"])


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Tab]:
    """Start Chromium with a profile in ``folder``; downloads go to ``folder``/saved."""
    assert CHROMIUM is not None
    profile, saved = folder / "profile", folder / "saved"
    saved.mkdir()
    words = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu"]
    words += ["--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
    with tethered(words, env={**os.environ, "HOME": str(folder)}) as process:
        told = profile / "DevToolsActivePort"
        while not told.is_file() or len(told.read_text().splitlines()) < 2:
            assert process.poll() is None
            await asyncio.sleep(0.05)
        port, path = told.read_text().splitlines()
        address = f"ws://127.0.0.1:{port}{path}"
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(address, max_msg_size=0) as line,
        ):
            root = Tab(line, "")
            await line.send_json(
                {
                    "id": 1,
                    "method": "Target.createTarget",
                    "params": {"url": "about:blank"},
                }
            )
            made = await root._until(1)
            params = {"targetId": made["targetId"], "flatten": True}
            await line.send_json(
                {"id": 2, "method": "Target.attachToTarget", "params": params}
            )
            tab = Tab(line, (await root._until(2))["sessionId"])
            await tab.call("Log.enable")
            await tab.call("Page.enable")
            await tab.call(
                "Page.setDownloadBehavior", behavior="allow", downloadPath=str(saved)
            )
            yield tab
