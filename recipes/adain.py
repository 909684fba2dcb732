"""Train a decoder for arbitrary style (AdaIN) on the embedded network, and write the file that ships.

    python recipes/adain.py PHOTOGRAPHS STYLES --scratch TMP

PHOTOGRAPHS and STYLES are folders of pictures of any size, some dozens each or more. An interrupted run goes on from
its last checkpoint in ``--scratch``. The result is for ``paribus texture stylize``; ``python recipes/scores.py``
writes into its record what it is worth. The file that ships was made of the pictures that its record names.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from forward import Run, listed, options_of

from paribus.labs.texture.adain import Decoder
from paribus.labs.texture.crops import photographs_in
from paribus.labs.texture.train_adain import ADAIN_STEPS, train_adain
from paribus.labs.texture.weights_file import shipped_path


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("styles", type=Path)
    parser.add_argument(
        "--from", dest="where", default="", help="where the pictures are from, in words, for the record"
    )
    parser.add_argument("--group", type=int, default=3, help="of small_vgg at whose first ReLU the statistics change")
    options = options_of(parser, steps=ADAIN_STEPS)
    run = Run(options)
    photographs, styles = photographs_in(options.photographs), photographs_in(options.styles)
    with run.training():
        decoder = train_adain(
            photographs, styles, run.network, context=run.context, group=options.group, steps=options.steps
        )
    run.write(
        decoder,
        options.out or shipped_path(Decoder, options.weights),
        in_words=f"AdaIN decoder for {run.fixed} at {decoder.layer}",
        data=f"{len(photographs)} photographs and {len(styles)} styles"
        + (f": {options.where}" if options.where else ""),
        photographs=listed(options.photographs),
        styles=listed(options.styles),
        encoder=[run.fixed.name, run.fixed.weights],
    )


if __name__ == "__main__":
    main()
