"""What was performed: Modality Performed Procedure Step (PS3.4 Annex F), and studies bound to orders."""
