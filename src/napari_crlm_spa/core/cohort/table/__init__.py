"""From analysis folders and a clinical table to one checked row per patient."""
