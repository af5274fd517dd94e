package org.loranative.model.diffusion;

/**
 * What a text becomes before a denoiser reads it, by the name of the denoiser's input.
 *
 * @param perToken whether there is a row for each token, or one for the whole text
 */
public record Condition(String name, long width, boolean perToken) {}
