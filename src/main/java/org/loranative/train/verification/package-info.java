/** Whether what left the tool is what was trained. */
package org.loranative.train.verification;
