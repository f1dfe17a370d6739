"""`make board`: the product on the emulated board, for a person at the panel, until Ctrl-C."""

import os
import signal
import time

import strategy  # noqa: F401 - registers BoardStrategy
from labgrid import Environment
from product import Product

LOOK_EVERY_S = 1.0
GREETING = """\

  panel        {url}/
               (own certificate: the browser warns once)
  first start  {first}
               (once: makes the administrator)
  console      end this, then: make board-shell BOOT=product

Ctrl-C ends it; nothing stays."""


def main() -> None:
    begun = time.monotonic()
    print("the emulated board starts: a minute or two …", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    target = Environment(os.environ["LG_ENV"]).get_target()
    power = target.get_driver("BoardStrategy")
    try:
        power.transition("product")
        product = Product(target)
        product.wait_ready()
        print(f"[{time.monotonic() - begun:5.1f} s] ready")
        print(GREETING.format(url=product.url, first=product.setup_url()), flush=True)
        while not power.is_over:
            time.sleep(LOOK_EVERY_S)
        print("the board has switched itself off", flush=True)
    except KeyboardInterrupt:
        print("\nstopping …", flush=True)
    finally:
        target.cleanup()


if __name__ == "__main__":
    main()
