"""python3 -m image root | panel | layer | cext [variant]: builds what is missing, prints where.

lock: rewrites the lock."""

import sys

from image import applayer, cext, mirror, panel, rootfs


def main(arguments: list[str]) -> int:
    match arguments:
        case ["root"]:
            print(rootfs.ensure())
        case ["panel"]:
            print(panel.ensure() or "")
        case ["layer"]:
            print(applayer.ensure(rootfs.ensure()))
        case ["cext", *variant]:
            print(cext.ensure(*variant))
        case ["lock"]:
            rootfs.relock()
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (rootfs.BuildError, panel.PanelError, cext.CextError, mirror.NoMirrorError, ValueError) as error:
        sys.exit(f"image: {error}")
    except KeyboardInterrupt:
        sys.exit("image: interrupted; nothing was left behind")
