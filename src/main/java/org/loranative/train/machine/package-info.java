/**
 * The machine that a run has: devices, what the user says of them, sensors, a check of the device's
 * arithmetic.
 */
package org.loranative.train.machine;
