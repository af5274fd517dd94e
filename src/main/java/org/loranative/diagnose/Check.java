package org.loranative.diagnose;

import java.util.Optional;

/** Looks for one kind of trouble. */
interface Check {
  Optional<Finding> find(RunCurves run);
}
