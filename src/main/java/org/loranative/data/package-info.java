/** Training data: records of files; what is made of them stands in a package for each task. */
package org.loranative.data;
