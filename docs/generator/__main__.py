"""`python -m docs.generator`: write every generated page, and remove those of no module."""

from docs.generator.pages import REFERENCE, generated, pages


def main() -> None:
    """Write the pages, and print those that changed."""
    wanted = pages()
    for name, text in wanted.items():
        path = REFERENCE / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    for name in sorted(generated() - wanted.keys()):
        (REFERENCE / name).unlink()
        print(f"removed {name}")


if __name__ == "__main__":
    main()
