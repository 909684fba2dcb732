"""Attacks: each a frozen dataclass of settings, called on a model, images and labels.

``attack(model, images, labels, streams=..., target=None) -> Adversarial``. A model is any callable from images
(B, 3, H, W) in [0, 1] to logits (B, K). All are batched, a finished image leaves the batch, and no image leaves [0, 1]
or the ball of radius eps around the original.
"""
