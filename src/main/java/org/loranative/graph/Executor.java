package org.loranative.graph;

import org.loranative.device.Device;
import org.loranative.device.DeviceException;

/** Runs plans. */
public final class Executor {
  private final Device device;
  private final boolean poison;

  /**
   * @param poison fill the arena with NaN before each run, so that a value read before it is
   *     written shows; inputs must be uploaded after {@link #prepare}
   */
  public Executor(Device device, boolean poison) {
    this.device = device;
    this.poison = poison;
  }

  /** To be called before inputs are uploaded. */
  public void prepare(Plan plan, long arena) {
    if (poison) {
      device.fill(arena, 0xff, plan.arenaBytes());
    }
  }

  /** Runs every op in order. */
  public void run(Plan plan, Addresses at) {
    int line = 0;
    try {
      for (Op op : plan.ops()) {
        op.run(device, at);
        line++;
      }
    } catch (DeviceException e) {
      throw new DeviceException(
          "plan line " + line + " (" + plan.ops().get(line).name() + "): " + e.getMessage());
    }
  }
}
