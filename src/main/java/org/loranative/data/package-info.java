/** Training data: sources, formats, order, batches. */
package org.loranative.data;
