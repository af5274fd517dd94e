/**
 * The loss doctor: reads a run's curves, says what is wrong, since when, by which evidence, and
 * which setting to change. {@link org.loranative.diagnose.Doctor} is the door; a check is a class.
 */
package org.loranative.diagnose;
