"""Train a texture network on one texture with the embedded network and write the file that ships.

    python recipes/texture_network.py gravel --scratch TMP    # a texture that a package brings
    python recipes/texture_network.py FILE --out F.safetensors

An interrupted run goes on from its last checkpoint in ``--scratch``. The result is for ``paribus texture synthesize``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from forward import Run, options_of

from paribus.data.photographs import TEXTURES, photograph, source
from paribus.data.pictures import read_picture, resized
from paribus.labs.texture.experiments import Look
from paribus.labs.texture.eye import Eye, averaging
from paribus.labs.texture.generator import Generator
from paribus.labs.texture.log_eye import taught, teaching
from paribus.labs.texture.losses import LOSSES
from paribus.labs.texture.pixels import to_tensor
from paribus.labs.texture.train_generator import TEXTURE_STEPS, train_texture_network
from paribus.labs.texture.weights_file import shipped_path


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texture", help=f"one of {', '.join(TEXTURES)}, or a picture's file")
    parser.add_argument("--longest", type=int, default=256, help="the longest side to which the texture is reduced")
    parser.add_argument("--loss", default="gram", choices=LOSSES, help="gram is taught with covariance")
    parser.add_argument("--diversity", type=float, default=0.0, help="weight of the diversity term")
    parser.add_argument("--batch", type=int, default=1, help="textures a step")
    options = options_of(parser, steps=TEXTURE_STEPS)
    run = Run(options)
    known = options.texture in TEXTURES
    texture = resized(photograph(options.texture) if known else read_picture(options.texture), longest=options.longest)
    averaging(run.network)
    eye = Eye(run.network, Look(), LOSSES[options.loss], precision="bfloat16")
    with run.training():
        generator = train_texture_network(
            to_tensor(texture),
            teaching(eye),
            context=run.context,
            steps=options.steps,
            batch=options.batch,
            diversity_weight=options.diversity,
        )
    name = options.texture if known else Path(options.texture).stem
    run.write(
        generator,
        options.out or shipped_path(Generator, name),
        in_words=f"texture network of {name}, {run.fixed}, {taught(options.loss)}",
        data=source(name) if known else Path(options.texture).name,
    )


if __name__ == "__main__":
    main()
