package org.loranative.train;

/**
 * A caption as the UNet reads it.
 *
 * @param text states [tokens·width]
 * @param pooled of SDXL's second encoder; empty without
 */
record TextState(float[] text, float[] pooled) {}
