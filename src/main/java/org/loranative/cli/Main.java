package org.loranative.cli;
public final class Main { public static void main(String[] a) { System.out.println(org.loranative.device.LoraOps.ln_cpu_isa().getString()); } }
