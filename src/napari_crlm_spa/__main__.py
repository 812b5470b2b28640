"""``python -m napari_crlm_spa`` does what ``crlm-spa`` does."""

from napari_crlm_spa.cli.main import main

if __name__ == "__main__":
    main()
