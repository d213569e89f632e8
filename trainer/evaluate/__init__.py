"""One-pass evaluation (OPE) of TIR trackers as the LSOTB-TIR and PTB-TIR toolkits define it, without torch."""
