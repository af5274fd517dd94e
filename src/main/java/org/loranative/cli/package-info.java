/** The command line: one picocli class for each command. */
package org.loranative.cli;
