abstract class A { String get unused; var x = this.unused; }
