"""Train ``small_plain`` on CIFAR-10, and write the file that ships; what the options are, ``on_cifar10.py`` says."""

from on_cifar10 import train

if __name__ == "__main__":
    train("small_plain")
