/** What leaves the tool: bases with adapters merged in, adapters in other programs' formats. */
package org.loranative.export;
