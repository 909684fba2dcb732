"""Train a network for one style on photographs, with the embedded network, and write the file that ships.

    python recipes/fast_style.py STYLE PHOTOGRAPHS --scratch TMP

STYLE is a photograph that a package brings, by name, or a picture's file; PHOTOGRAPHS a folder of pictures of any size,
some dozens or more. An interrupted run goes on from its last checkpoint in ``--scratch``. The result is for ``paribus
texture stylize``; ``python recipes/scores.py`` writes into its record what it is worth. The file that ships was
made with the photographs that its record names.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from forward import Run, listed, options_of

from paribus.data.photographs import PHOTOGRAPHS, TEXTURES, photograph, source
from paribus.data.pictures import read_picture, resized
from paribus.labs.texture.crops import photographs_in
from paribus.labs.texture.fast_style import StyleNetwork
from paribus.labs.texture.losses import LOSSES
from paribus.labs.texture.train_fast_style import STYLE_STEPS, train_fast_style
from paribus.labs.texture.weights_file import shipped_path


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("style", help="a photograph by name, or a picture's file")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--from", dest="where", default="", help="where these are from, in words, for the record")
    parser.add_argument("--longest", type=int, default=256, help="the longest side to which the style is reduced")
    parser.add_argument("--loss", default="gram", choices=LOSSES)
    parser.add_argument("--content", type=float, default=1.0, help="weight of the photograph's content")
    options = options_of(parser, steps=STYLE_STEPS)
    run = Run(options)
    known = options.style in (*TEXTURES, *PHOTOGRAPHS)
    style = resized(photograph(options.style) if known else read_picture(options.style), longest=options.longest)
    photographs = photographs_in(options.photographs)
    with run.training():
        network = train_fast_style(
            style,
            photographs,
            run.network,
            context=run.context,
            loss=LOSSES[options.loss],
            content_weight=options.content,
            steps=options.steps,
        )
    name = options.style if known else Path(options.style).stem
    run.write(
        network,
        options.out or shipped_path(StyleNetwork, name),
        in_words=f"style network of {name}, {run.fixed}, {options.loss}",
        data=f"style: {source(name) if known else Path(options.style).name}; {len(photographs)} photographs"
        + (f": {options.where}" if options.where else ""),
        photographs=listed(options.photographs),
    )


if __name__ == "__main__":
    main()
