/** What servers on the user's own machine have in common: an address, and who may ask. */
package org.loranative.web;
