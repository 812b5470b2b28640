def walk(slides, out):
    pass
