"""Faces in pictures: how they look, how they are drawn, found and checked."""
