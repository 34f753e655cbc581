int MPI_Init(int*,char***); int MPI_Finalize(void); unsigned sleep(unsigned);
int main(int c,char**v){MPI_Init(&c,&v); sleep(20); MPI_Finalize(); return 0;}
