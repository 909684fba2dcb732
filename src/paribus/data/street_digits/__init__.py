"""street_digits: synthetic house numbers made by Paribus, in the format of the cropped SVHN.

No photograph of a house number is in it. Real typefaces are set as numbers on painted, brick, wooden, metal and
photographed grounds, lit, looked at askew, photographed small and noisily, compressed and cropped around one digit:
``labels`` the digits, ``glyphs`` the shapes, ``grounds`` the surfaces, ``scene`` the number on its surface,
``camera`` the photograph of it, ``cache`` the finished crops on disk.
"""
