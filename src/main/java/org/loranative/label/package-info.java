/**
 * Captions made by a model that the user names, through ONNX Runtime, which is no part of the jar:
 * {@link org.loranative.label.Labelling} is the door.
 */
package org.loranative.label;
