"""The characters that end an address, beyond ASCII: ranges of code points of Unicode 17, in hex.

Python's `re` does not know the properties by which the browser names them (links.js): tests/test_formatting.py compares both.
"""

# Blanks, controls, what is invisible, the punctuation of scripts that put no blank after it, and symbols that serve as it: ＜ ≫ ｜.
ENDING = """
80-a1 a7 ab ad b6 bb bf 34f 37e 55a-55f 589 5c0 5c3 5c6 5f3-5f4 600-605 609-60a 60c-60d 61b-61f 66a-66d 6d4 6dd 700-70d 70f 7f7-7f9 830-83e
85e 890-891 8e2 964-965 970 9fd a76 af0 c77 c84 df4 e4f e5a-e5b f04-f12 f14 f3a-f3d f85 fd0-fd4 fd9-fda 104a-104f 10fb 115f-1160 1360-1368
166e 1680 169b-169c 16eb-16ed 1735-1736 17b4-17b5 17d4-17d6 17d8-17da 1800-1805 1807-180f 1944-1945 1a1e-1a1f 1aa0-1aa6 1aa8-1aad 1b4e-1b4f
1b5a-1b60 1b7d-1b7f 1bfc-1bff 1c3b-1c3f 1c7e-1c7f 1cc0-1cc7 1cd3 2000-200b 200e-200f 2016-203e 2041-2043 2045-2051 2053 2055-206f 207d-207e
208d-208e 226a-226b 2308-230b 2329-232a 2500-257f 2768-2775 27c5-27c6 27e6-27ef 2800 2983-2998 29d8-29db 29fc-29fd 2cf9-2cfc 2cfe-2cff 2d70
2e00-2e16 2e18-2e19 2e1b-2e2e 2e30-2e39 2e3c-2e3f 2e41-2e4f 2e52-2e5c 3000-3003 3008-3011 3014-301b 301d-301f 303d 3164 a4fe-a4ff a60d-a60f
a673 a67e a6f2-a6f7 a874-a877 a8ce-a8cf a8f8-a8fa a8fc a92e-a92f a95f a9c1-a9cd a9de-a9df aa5c-aa5f aade-aadf aaf0-aaf1 abeb fd3e-fd3f
fe00-fe19 fe30 fe35-fe4c fe50-fe52 fe54-fe57 fe59-fe61 fe64-fe65 fe68 fe6a-fe6b feff ff01-ff03 ff05-ff0a ff0c ff0e-ff0f ff1a-ff1c ff1e-ff20
ff3b-ff3d ff40 ff5b-ff5d ff5f-ff64 ffa0 ffe8 fff0-fffc 10100-10102 1039f 103d0 1056f 10857 1091f 1093f 10a50-10a58 10a7f 10af0-10af6
10b39-10b3f 10b99-10b9c 10ed0 10f55-10f59 10f86-10f89 11047-1104d 110bb-110c1 110cd 11140-11143 11174-11175 111c5-111c8 111cd 111db
111dd-111df 11238-1123d 112a9 113d4-113d5 113d7-113d8 1144b-1144f 1145a-1145b 1145d 114c6 115c1-115d7 11641-11643 11660-1166c 116b9
1173c-1173e 1183b 11944-11946 119e2 11a3f-11a46 11a9a-11a9c 11a9e-11aa2 11b00-11b09 11be1 11c41-11c45 11c70-11c71 11ef7-11ef8 11f43-11f4f
11fff 12470-12474 12ff1-12ff2 13430-1343f 13441-13442 16a6e-16a6f 16af5 16b37-16b3b 16b44 16d6d-16d6f 16e97-16e9a 16fe2 16fe4 1bc9f-1bca3
1d159 1d173-1d17a 1da87-1da8b 1e5ff 1e95e-1e95f e0000-e0fff
"""


def character_class(ranges):
    """Return ranges as a regular expression has them between [ and ]."""
    ends = (part.split("-") for part in ranges.split())
    return "".join(f"\\U{int(first_and_last[0], 16):08x}-\\U{int(first_and_last[-1], 16):08x}" for first_and_last in ends)
