"""Starts the processes of a distributed job as torchrun does, and listens to them.

They are children of the demo's process with RANK and WORLD_SIZE in their environment. They end
with it in two ways: `Crew.close` kills them, and their standard input is a pipe that the system
closes when the demo's process dies however it dies.
"""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import torch.distributed as dist

from demos.kit.data import DataFault

WORKER = "demos.multimodal.distributed_worker"
HINT = (
    "Gloo needs torch with distributed support and the loopback interface; "
    '`python -c "import torch.distributed as d; print(d.is_gloo_available())"` says the first.'
)


class Crew:
    """W processes at one job; iterate to get what the first one says, as dictionaries.

    Raises DataFault when a process ends badly: the others would wait for it in vain, so they are
    stopped.
    """

    def __init__(self, folder: Path, workers: int, module: str = WORKER) -> None:
        """Start them; `folder` holds the job and takes the results."""
        if not (dist.is_available() and dist.is_gloo_available()):
            raise DataFault("this torch is built without torch.distributed and Gloo", HINT)
        self._folder = folder
        self._heard: queue.Queue[tuple[int, str]] = queue.Queue()
        self._processes = []
        for rank in range(workers):
            self._processes.append(self._start(rank, workers, module))
        self._ears = [
            threading.Thread(target=self._listen, args=each, daemon=True)
            for each in enumerate(self._processes)
        ]
        for ear in self._ears:
            ear.start()

    def _start(self, rank: int, workers: int, module: str) -> subprocess.Popen[str]:
        with (self._folder / f"log-{rank}.txt").open("w", encoding="utf-8") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", module, str(self._folder), "--lifeline"],
                env=worker_environment(os.environ, rank, workers),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
            )

    def _listen(self, rank: int, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._heard.put((rank, line))
        self._heard.put((rank, ""))

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        ended = 0
        while ended < len(self._processes):
            rank, line = self._heard.get()
            if line:
                yield json.loads(line)
                continue
            ended += 1
            if self._processes[rank].wait() != 0:
                raise self._fault(rank)

    def _fault(self, rank: int) -> DataFault:
        """What a process that ended badly wrote last."""
        self.close()
        log = (self._folder / f"log-{rank}.txt").read_text(encoding="utf-8", errors="replace")
        said = log.strip().splitlines()[-1:] or ["it said nothing"]
        code = self._processes[rank].returncode
        return DataFault(f"process {rank} of the batch ended with code {code}: {said[0]}", HINT)

    def close(self) -> None:
        """End those that still run, and wait for them."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
        for process, ear in zip(self._processes, self._ears, strict=True):
            process.wait()
            ear.join()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def worker_environment(base: Mapping[str, str], rank: int, workers: int) -> dict[str, str]:
    """The variables that torchrun sets, one thread each, and talk inside this machine only."""
    environment = dict(base)
    environment.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE=str(workers),
        LOCAL_WORLD_SIZE=str(workers),
        OMP_NUM_THREADS="1",
    )
    loopback = next((n for _, n in socket.if_nameindex() if n in ("lo", "lo0")), None)
    if loopback is not None:
        environment.setdefault("GLOO_SOCKET_IFNAME", loopback)
    environment["PYTHONPATH"] = os.pathsep.join(each for each in sys.path if each)
    return environment
