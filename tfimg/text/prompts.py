"""What is said of a picture to be made: a name, a style, a background."""

# Words of each style in both languages; `{}` is what is to be seen.
STYLES = {
    "flat emoji": {"en": "flat emoji icon of {}", "zh": "{}的扁平表情图标"},
    "3D emoji": {"en": "3D emoji of {}", "zh": "{}的立体表情图标"},
    "pixel art": {"en": "pixel art of {}", "zh": "{}的像素画"},
    "photo": {"en": "a photo of {}", "zh": "{}的照片"},
}

# Plain backgrounds: their words in both languages, and their RGB.
BACKGROUNDS = {
    "white": {"zh": "白色", "rgb": (255, 255, 255)},
    "black": {"zh": "黑色", "rgb": (16, 16, 16)},
    "grey": {"zh": "灰色", "rgb": (128, 128, 128)},
    "red": {"zh": "红色", "rgb": (214, 48, 49)},
    "orange": {"zh": "橙色", "rgb": (240, 140, 30)},
    "yellow": {"zh": "黄色", "rgb": (250, 215, 60)},
    "green": {"zh": "绿色", "rgb": (60, 160, 75)},
    "blue": {"zh": "蓝色", "rgb": (45, 100, 215)},
    "purple": {"zh": "紫色", "rgb": (130, 70, 180)},
    "pink": {"zh": "粉色", "rgb": (245, 150, 190)},
    "brown": {"zh": "棕色", "rgb": (130, 85, 50)},
}


def prompt(
    name: str, language: str = "en", style: str | None = None, background: str | None = None
) -> str:
    """Puts into words what is to be made.

    Args:
        name: what is to be seen, such as "a small green dragon".
        language: "en" or "zh".
        style: one of `STYLES`, or None to leave it open.
        background: one of `BACKGROUNDS`, or None to leave it open.

    Raises:
        ValueError: for a style or background that is none of these.

    Example:
        >>> prompt("sun", style="pixel art", background="blue")
        'pixel art of sun on a blue background'
    """
    if style is not None:
        if style not in STYLES:
            raise ValueError(f"style is {style!r}; expected one of {', '.join(STYLES)}")
        name = STYLES[style][language].format(name)
    if background is not None:
        if background not in BACKGROUNDS:
            raise ValueError(f"background is {background!r}; expected one of {list(BACKGROUNDS)}")
        if language == "zh":
            return f"{BACKGROUNDS[background]['zh']}背景上的{name}"
        article = "an" if background[0] in "aeiou" else "a"
        name = f"{name} on {article} {background} background"
    return name
