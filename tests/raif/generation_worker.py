"""A process that draws what a test module asks for and says how far it is: MODULE MODEL FOLDER COUNT [ADDRESS]."""

from __future__ import annotations

import sys
import time
from importlib import import_module

from raif.generation.opening import open_generator
from raif.generation.run import complete
from raif.generation.store import Store


def main(module: str, model: str, folder: str, count: str, address: str = "") -> None:
    test = import_module(module)
    served = {"base_url": address, "limits": test.LIMITS} if address else {}
    generator = open_generator("openai" if address else "transformers", model, **served)

    def progress(done: int, tokens: int) -> None:
        sys.stdout.write(f"{done}\n")
        sys.stdout.flush()
        time.sleep(test.PAUSE)

    complete(generator, test.requests(int(count)), test.SAMPLING, Store(folder), progress)


if __name__ == "__main__":
    main(*sys.argv[1:])
