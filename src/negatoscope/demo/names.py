"""Names of people who do not exist, with every sign that French names have."""

from typing import Final

FAMILIES: Final = (
    "ADAM", "AUBERT", "BARBIER", "BERTRAND", "BLANCHARD", "BOURGEOIS", "BRUNET", "CARLIER", "CHEVALIER", "COLLET", "D'ANGELO",
    "DA SILVA", "DE VILLENEUVE", "DUPUIS", "ÉTIENNE", "FAURE", "FERREIRA", "GAUTHIER", "GÉRARD", "GUÉGUEN", "HAMON", "HUBERT",
    "JACQUET", "KLEIN", "LACROIX", "LE BIHAN", "LECLERCQ", "LEMAÎTRE", "MAÇON", "MARÉCHAL", "MEUNIER", "MOHAMED", "NOËL",
    "O'NEILL", "PARIS", "PÉREZ", "PICARD", "QUÉRÉ", "RENARD", "ROUSSEL", "SAINT-MARTIN", "SCHMITT", "TESSIER", "THÉVENET",
    "URBAIN", "VIDAL", "WEBER", "YILMAZ", "ZIMMERMANN",
)  # fmt: skip
WOMEN: Final = (
    "Aïcha",
    "Camille",
    "Chloé",
    "Françoise",
    "Inès",
    "Jeannine",
    "Léa",
    "Marie-Noëlle",
    "Odile",
    "Yasmine",
    "Zoé",
)
MEN: Final = (
    "André",
    "Benoît",
    "Clément",
    "François",
    "Hugo",
    "Jean-Loïc",
    "Mehdi",
    "Noé",
    "Raphaël",
    "Théo",
    "Yves",
)
