/**
 * The frozen weights of a base: {@link org.loranative.model.weights.Weights} says how each tensor
 * of its files is read, {@link org.loranative.model.weights.LoadedWeights} holds them on a device.
 */
package org.loranative.model.weights;
