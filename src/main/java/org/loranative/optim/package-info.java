/**
 * Optimizers, each a class that says what it keeps between steps and which ops a step is; learning
 * rate schedules; the loss scale of f16 training.
 */
package org.loranative.optim;
